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


class TargetSettings(Table):
    """What a target is made from; `[deploy]` has these keys, and an environment may say some of them anew."""

    target: Literal["process"] = "process"
    """process: local processes behind HAProxy."""
    build: Texts = ()
    """Commands that make a checkout of the commit ready to start, after `[project] setup`."""
    start: str = ""
    """The command that serves on `CALLBOARD_PORT`, in the foreground; "" = nothing can be deployed."""
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
