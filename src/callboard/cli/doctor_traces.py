"""Whether the collector that traces are told takes them; an empty batch is sent to see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from callboard.bus.errors import ConfigError

if TYPE_CHECKING:
    from callboard.app import Workspace

WAIT_S = 5.0
"""Whoever waits at a terminal is told sooner than a launch is."""


def traces_findings(workspace: Workspace) -> Iterator[tuple[Literal["ok", "warn"], str]]:
    """No launch needs a collector, so nothing about it is a failure; nothing is said where nobody names one."""
    from callboard.telemetry.destination import destination, is_wanted

    if not is_wanted(workspace.settings.telemetry, workspace.environ):
        return
    from callboard.launch.ledgering import project_name
    from callboard.telemetry.sender import Sender

    try:
        to = destination(workspace.settings.telemetry, workspace.environ)
        if to is None:
            yield "ok", "a collector is named, and OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER says that nothing is sent"
            return
        with Sender(replace(to, timeout_s=min(to.timeout_s, WAIT_S)), project=project_name(workspace)) as sender:
            why = sender.send([])
    except ConfigError as error:
        yield "warn", f"{error}; runs go on without it"
        return
    if why:
        yield "warn", f"{to.shown} takes none: {why}; runs go on without it, and it is told when it listens"
    else:
        yield "ok", f"{to.shown} takes them"
