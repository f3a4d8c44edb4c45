"""What a compose file may say: an agent wrote it, so what is not listed here does not run. Pure.

Judged is what `docker compose config` resolves it to, so that no short form, anchor, `extends` or `include` hides anything.
Keys as in Compose 2.40; one that a later version brings is refused until somebody lists it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Model = Mapping[str, object]
"""A table of the resolved file."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FREE = _words(
    "attach cap_drop command container_name cpu_count cpu_percent cpu_period cpu_quota cpu_shares cpus cpuset depends_on "
    "develop domainname entrypoint environment expose healthcheck hostname image init mem_limit mem_reservation "
    "mem_swappiness memswap_limit pids_limit platform profiles pull_policy read_only restart scale shm_size stdin_open "
    "stop_grace_period stop_signal tmpfs tty ulimits user working_dir"
)
"""Keys of a service that reach no further than its container, whatever they say."""
_LOOPBACK = ("127.0.0.1", "::1")
_BUILD = _words("args context dockerfile dockerfile_inline no_cache platforms pull shm_size target")
_VOLUME = _words("bind consistency read_only source target tmpfs type volume")
_LOGGING = ("json-file", "local", "none")
_LIMITS = _words("cpus memory pids")


@dataclass(frozen=True, slots=True)
class Scope:
    """What belongs to the file that is judged.

    Args:
        project: Its name.
        service: The one behind the switch, and where that listens: its published port is replaced.
        is_inside: Whether a path, its links followed, lies in the checkout.
        variables: Names of the variables that the command gets.
    """

    project: str
    service: str
    port: int
    is_inside: Callable[[str], bool]
    variables: frozenset[str]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not allowed, as `web.cap_add=NET_ADMIN`."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}={self.what}"


def findings(model: Model, scope: Scope) -> tuple[Finding, ...]:
    """Everything of a resolved file that reaches past its containers, or that nobody knows."""
    return tuple(_findings(model, scope))


def env_file_findings(model: Model, scope: Scope) -> tuple[Finding, ...]:
    """Files outside of the checkout that services take variables from.

    Args:
        model: Of `config --no-interpolate`: where all is filled in, they are named no more.
    """
    services = _tables(model.get("services"))
    return tuple(
        Finding(f"{name}.env_file", str(path))
        for name, service in services
        for _, path in _env_files(service.get("env_file"), name, scope)
    )


def _findings(model: Model, scope: Scope) -> Iterator[Finding]:
    for name, service in _tables(model.get("services")):
        yield from _service(name, service, scope)
    for kind, check in (("networks", _network), ("volumes", _top_volume), ("secrets", _source), ("configs", _source)):
        for name, table in _tables(model.get(kind)):
            for key, value in _said(table):
                if not check(key, value, f"{scope.project}_{name}", scope):
                    yield _finding(f"{kind}.{name}.{key}", value)
    for key, value in _said(model):
        if key not in ("name", "services", "networks", "volumes", "secrets", "configs") and not key.startswith("x-"):
            yield _finding(key, value)


def _service(name: str, service: Model, scope: Scope) -> Iterator[Finding]:
    for key, value in _said(service):
        if key in _FREE or key.startswith("x-"):
            continue
        judge = _JUDGES.get(key)
        if judge is None:
            yield from (_finding(f"{name}.{key}", one) for one in (value if isinstance(value, list) else [value]))
            continue
        for part, one in judge(value, name, scope):
            yield _finding(f"{name}.{key}{part}", one)


_Bad = Iterator[tuple[str, object]]
"""Where below the key, and what stands there."""


def _build(value: object, name: str, scope: Scope) -> _Bad:
    build = _table(value)
    yield from ((f".{key}", one) for key, one in _said(build) if key not in _BUILD)
    context, dockerfile = str(build.get("context", "")), str(build.get("dockerfile", ""))
    if not scope.is_inside(context):
        yield ".context", context
    elif dockerfile and not scope.is_inside(dockerfile if dockerfile.startswith("/") else f"{context}/{dockerfile}"):
        yield ".dockerfile", dockerfile


def _ports(value: object, name: str, scope: Scope) -> _Bad:
    for one in map(_table, _list(value)):
        is_switched = name == scope.service and one.get("target") == scope.port
        if not is_switched and one.get("host_ip") not in _LOOPBACK:
            yield "", f"{one.get('host_ip') or '0.0.0.0'}:{one.get('published') or '*'}:{one.get('target')}"


def _volumes(value: object, name: str, scope: Scope) -> _Bad:
    for one in map(_table, _list(value)):
        source, kind = str(one.get("source") or ""), one.get("type")
        shown = f"{source}:{one.get('target')}" + (":ro" if one.get("read_only") else "")
        yield from ((f".{key}", other) for key, other in _said(one) if key not in _VOLUME)
        # what a container can write, it can replace by a link: the next start would follow that out of the checkout
        is_mine = kind == "bind" and scope.is_inside(source) and one.get("read_only") is True
        odd = _table(one.get("bind")).keys() - {"create_host_path"}
        if odd or not (kind in ("volume", "tmpfs") or is_mine):
            yield "", shown


def _networks(value: object, name: str, scope: Scope) -> _Bad:
    known = {"aliases", "priority", "ipv4_address", "ipv6_address"}
    for network, table in _tables(value):
        yield from ((f".{network}.{key}", one) for key, one in _said(table) if key not in known)


def _logging(value: object, name: str, scope: Scope) -> _Bad:
    driver = _table(value).get("driver", "json-file")
    if driver not in _LOGGING:
        yield ".driver", driver


def _security(value: object, name: str, scope: Scope) -> _Bad:
    yield from (("", one) for one in _list(value) if one not in ("no-new-privileges", "no-new-privileges:true"))


def _network_mode(value: object, name: str, scope: Scope) -> _Bad:
    if value != "none":
        yield "", value


def _deploy(value: object, name: str, scope: Scope) -> _Bad:
    for key, one in _said(_table(value)):
        if key == "resources":
            for side, table in _tables(one):
                yield from ((f".resources.{side}.{n}", what) for n, what in _said(table) if n not in _LIMITS)
        elif key not in ("replicas", "restart_policy"):
            yield f".{key}", one


def _env_files(value: object, name: str, scope: Scope) -> _Bad:
    for one in _list(value):
        path = str(one.get("path", "")) if isinstance(one, Mapping) else str(one)
        if "$" in path or not scope.is_inside(path):
            yield "", path


def _nothing(value: object, name: str, scope: Scope) -> _Bad:
    yield from ()


_JUDGES: Mapping[str, Callable[[object, str, Scope], _Bad]] = {
    "build": _build,
    "ports": _ports,
    "volumes": _volumes,
    "networks": _networks,
    "logging": _logging,
    "security_opt": _security,
    "network_mode": _network_mode,
    "deploy": _deploy,
    "env_file": _env_files,
    # by name, of those that are declared, and these are judged where they are
    "secrets": _nothing,
    "configs": _nothing,
}


def _network(key: str, value: object, own: str, scope: Scope) -> bool:
    match key:
        case "name":
            return value == own
        case "driver":
            return value == "bridge"
    return key in ("internal", "ipam", "enable_ipv6", "enable_ipv4")


def _top_volume(key: str, value: object, own: str, scope: Scope) -> bool:
    return value == own if key == "name" else key == "driver" and value == "local"


def _source(key: str, value: object, own: str, scope: Scope) -> bool:
    match key:
        case "name":
            return value == own
        case "file":
            return scope.is_inside(str(value))
        case "environment":
            return value in scope.variables
    return key == "content"


def _said(table: Model) -> Iterator[tuple[str, object]]:
    """Keys that say something: what is false or empty is as if it were not there."""
    return ((key, value) for key, value in table.items() if value not in (None, False, "", [], {}))


def _finding(where: str, value: object) -> Finding:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
    return Finding(where, text)


def _tables(value: object) -> Iterator[tuple[str, Model]]:
    return ((str(name), _table(one)) for name, one in _table(value).items())


def _table(value: object) -> Model:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else []
