"""`[deploy]`, the part that says where and how releases run (docs/targets.md)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from callboard.agents.settings import Seconds, Table, Texts

_PATH = re.compile(r"/[^\s?#]*")
Port = Annotated[int, Field(ge=1, le=65535)]


def _path(text: str) -> str:
    if not _PATH.fullmatch(text):
        raise ValueError("expected the path of a URL that begins with /, such as /health")
    return text


class TargetSettings(Table):
    """What a target is made from; `[deploy]` has these keys, and an environment may say some of them anew."""

    target: Literal["process"] = "process"
    """process: local processes behind HAProxy."""
    build: Texts = ()
    """Commands that make a checkout of the commit ready to start, after `[project] setup`."""
    start: str = ""
    """The command that serves on `CALLBOARD_PORT`, in the foreground; "" = nothing can be deployed."""
    port: Port = 8080
    """Where the switch listens, on 127.0.0.1."""
    health: Annotated[str, AfterValidator(_path)] = "/health"
    """The path that answers 200 while a release can serve."""
    health_timeout_s: Seconds = 5.0
    """For one look at it."""
    stop_s: Seconds = 10.0
    """Between asking a release to end and killing it."""
