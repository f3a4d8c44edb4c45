"""`[deploy]`, the part that says where and how releases run (docs/targets.md)."""

from __future__ import annotations

import re
from ipaddress import IPv4Address
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from callboard.agents.settings import Seconds, Table, Texts

_PATH = re.compile(r"/[^\s?#]*")
Port = Annotated[int, Field(ge=1, le=65535)]


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError("expected the path of a URL that begins with /, such as /health")
    return text


def _address(text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise ValueError("expected an IPv4 address of this computer, such as 127.0.0.1 or 0.0.0.0") from None


def _inside(text: str) -> str:
    if not text or text.startswith("/") or ".." in text.split("/"):
        raise ValueError("expected the path of a file of the repository, from its top, such as deploy/compose.yaml")
    return text


class CommandSettings(Table):
    """`[deploy.commands]`: command lines for the target `command`. They find CALLBOARD_ENV, CALLBOARD_RELEASE, CALLBOARD_COMMIT
    and CALLBOARD_SLOT, and run with the rights of whoever launched, in no sandbox."""

    up: str = ""
    """Starts a release without traffic; runs in its checkout."""
    health: str = ""
    """Exits 0 while the release at CALLBOARD_URL can serve; "" = its health path is asked."""
    switch: str = ""
    """Gives CALLBOARD_RELEASE the traffic, or each its share of CALLBOARD_WEIGHTS (`r-1=75 r-2=25`)."""
    drain: str = ""
    """Waits until CALLBOARD_RELEASE has no requests in flight, CALLBOARD_TIMEOUT seconds at most; "" = that cannot be known."""
    down: str = ""
    status: str = ""
    """Prints a line for each release that runs: RELEASE WEIGHT ADDRESS."""
    weights: bool = False
    """`switch` can give shares."""
    timeout_s: Seconds = 1800.0
    """For each of them."""


class ComposeSettings(Table):
    """`[deploy.compose]`: which compose file of the commit runs, and what it may do beyond its own containers."""

    file: Annotated[str, AfterValidator(_inside)] = "compose.yaml"
    """From the repository's top."""
    service: str = ""
    """Whose requests come through the switch; "" = the only one there is."""
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where it listens in its container; 0 = the only one that it publishes."""
    allow: Texts = ()
    """What is let by although it reaches past its containers, word for word as the refusal names it: `web.cap_add=NET_ADMIN`."""
    timeout_s: Seconds = 1800.0
    """For each `docker` command that builds, pulls, starts or stops."""


class TargetSettings(Table):
    """What a target is made from; `[deploy]` has these keys, and an environment may have a port of its own."""

    target: Literal["process", "compose", "command"] = "process"
    """process: local processes behind HAProxy; compose: containers behind HAProxy; command: wherever `[deploy.commands]` put them."""
    compose: ComposeSettings = ComposeSettings()
    commands: CommandSettings = CommandSettings()
    build: Texts = ()
    """Commands that make a checkout of the commit ready to start, after `[project] setup`."""
    start: str = ""
    """The command that serves on `CALLBOARD_PORT`, in the foreground; `process` needs it."""
    host: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    """The address that the switch listens on; 0.0.0.0 = every one of this computer."""
    port: Port = 8080
    """Where the switch listens."""
    health: Annotated[str, AfterValidator(_path)] = "/health"
    """The path that answers 200 while a release can serve."""
    health_timeout_s: Seconds = 5.0
    """For one look at it."""
    stop_s: Seconds = 10.0
    """Between asking a release to end and killing it."""
