"""The server, for `callboard doctor`: what it is, and what each kind of accident would take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from callboard.bus.errors import BusError
from callboard.cli.session import wait_for

if TYPE_CHECKING:
    from callboard.cli.redis_mode import Mode
    from callboard.cli.redis_risks import Risk

State = Literal["ok", "warn", "fail"]


def embedded_findings() -> Iterator[tuple[str, State, str, None]]:
    """Name, state and text of the server that comes with Callboard."""
    from callboard.bus.server import find_binary

    try:
        text = f"embedded: {find_binary()}, every accepted message is on disk before it is acknowledged"
    except BusError as error:
        yield "server", "fail", str(error), None
    else:
        yield "server", "ok", text, None


def external_findings(url: str) -> Iterator[tuple[str, State, str, Mode | Risk | None]]:
    """Of a server at a URL: itself, then each accident; the last are the facts as data."""
    from callboard.cli.redis_mode import ask_mode
    from callboard.cli.redis_risks import explain_mode, risks

    try:
        mode = wait_for(ask_mode(url))
    except BusError as error:
        yield "server", "fail", str(error), None
        return
    usable, text = explain_mode(mode)
    yield "server", "ok" if usable else "fail", text, mode
    for risk in risks(mode):
        yield f"on {risk.event}", "ok" if risk.lost == "nothing" else "warn", risk.text, risk
