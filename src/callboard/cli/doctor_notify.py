"""Whether the services of [notify] can be read; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from callboard.app import Workspace


def notify_findings(workspace: Workspace) -> Iterator[tuple[Literal["ok", "warn", "fail"], str]]:
    """Each service, by the name that callboard.toml gives it."""
    services = workspace.settings.notify.services(workspace.environ)
    if not services:
        yield "ok", "nobody is notified: [notify] urls is empty"
        return
    import apprise

    for service in services:
        if not service.url:
            yield "warn", f"{service.said}: that variable is not set, so nobody is notified there"
        elif apprise.Apprise.instantiate(service.url) is None:
            yield (
                "fail",
                f"{service.shown}: Apprise cannot read this URL; its list of services says how each is written",
            )
        else:
            yield "ok", f"{service.shown} can be read; `callboard notify test` sends a message"
