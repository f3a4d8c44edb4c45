"""The compose file that runs: what was resolved and judged, with the slot's port and the release's images. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from callboard.agents.deployment.compose_rules import Model
from callboard.bus.errors import DeployFailed

RELEASE_LABEL = "callboard.release"
SWITCHED_LABEL = "callboard.switched"
_STAND_IN = "callboard.secret.{}."
"""What is resolved in the place of a secret, so that no file has its value."""
_DROPPED = ("container_name", "develop", "profiles")
"""Two slots cannot have one name; nobody develops here; what is resolved is what runs."""


@dataclass(frozen=True, slots=True)
class Switched:
    """The service behind the switch."""

    service: str
    port: int
    """Where it listens in its container."""


def stand_ins(secrets: Iterable[str]) -> dict[str, str]:
    """Variables for resolving a file: each secret is there, and none of their values."""
    return {name: _STAND_IN.format(name) for name in secrets}


def read_model(text: str) -> Model:
    """What `config --format json` printed.

    Raises:
        DeployFailed: It is none.
    """
    try:
        model = json.loads(text)
    except ValueError:
        model = None
    if not isinstance(model, dict) or not isinstance(model.get("services"), dict) or not model["services"]:
        raise DeployFailed(f"`docker compose config` printed no services: {text.strip()[:200] or 'nothing'}")
    return model


def switched(model: Model, service: str, port: int) -> Switched:
    """Which service requests are for, and where it listens.

    Args:
        service: As `[deploy.compose]` says; "" = the only one.
        port: 0 = the only one that it publishes.

    Raises:
        DeployFailed: That is not clear.
    """
    services = _services(model)
    named = service or (next(iter(services)) if len(services) == 1 else "")
    if named not in services:
        there = ", ".join(services)
        raise DeployFailed(
            f"the compose file has {there}: set `service` in [deploy.compose] to the one that answers requests"
        )
    published = {one["target"] for one in services[named].get("ports") or () if one.get("protocol", "tcp") == "tcp"}
    if not port and len(published) != 1:
        raise DeployFailed(
            f"service {named} publishes {len(published)} ports: set `port` in [deploy.compose] to the one where it answers "
            "requests in its container"
        )
    return Switched(named, port or int(published.pop()))


def misplaced_secrets(model: Model, secrets: Iterable[str]) -> tuple[str, ...]:
    """Where a secret's value would stand outside of a service's environment, for others to read."""
    rest = {**model, "services": {name: {**one, "environment": {}} for name, one in _services(model).items()}}
    text = json.dumps(rest)
    return tuple(sorted(name for name, stand_in in stand_ins(secrets).items() if stand_in in text))


def deployable(
    model: Model,
    at: Switched,
    *,
    host_port: int,
    release: str,
    images: str,
    variables: Mapping[str, str],
    secrets: Iterable[str],
) -> str:
    """The file as it is started.

    Args:
        host_port: Where the switched service answers on this computer's loopback.
        images: What the names of built images begin with.
        variables: What the switched service gets besides what its file says; one whose value is "" is taken from the
            environment of the command that starts it.
        secrets: Their names; the values too are taken from there.
    """
    made = {}
    for name, service in _services(model).items():
        one = {key: value for key, value in service.items() if key not in _DROPPED and not key.startswith("x-")}
        one["labels"] = {**(one.get("labels") or {}), RELEASE_LABEL: release}
        if one.get("build"):
            one |= {"image": f"{images}-{name}:{release}", "pull_policy": "never"}
        if name == at.service:
            others = [port for port in one.get("ports") or () if port.get("target") != at.port]
            own = {"mode": "ingress", "host_ip": "127.0.0.1", "target": at.port, "published": str(host_port)}
            one["labels"][SWITCHED_LABEL] = "yes"
            one["ports"] = [*others, {**own, "protocol": "tcp"}]
            given = {key: value.replace("$", "$$") or None for key, value in variables.items()}
            one["environment"] = {**given, **(one.get("environment") or {})}
        made[name] = one
    text = json.dumps(
        {**{key: one for key, one in model.items() if not key.startswith("x-")}, "services": made}, indent=1
    )
    for name, stand_in in stand_ins(secrets).items():
        text = text.replace(stand_in, f"${{{name}}}")
    return text


def built_images(text: str) -> tuple[str, ...]:
    """Names of the images that a deployable file builds."""
    return tuple(one["image"] for one in _services(read_model(text)).values() if one.get("build"))


def _services(model: Model) -> dict[str, dict[str, Any]]:
    services = model["services"]
    assert isinstance(services, dict)
    return services
