"""`callboard notify test`: tries out where people are notified."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from callboard.bus.errors import ConfigError, NotificationFailed
from callboard.cli.exit_codes import FAILED
from callboard.cli.options import Json
from callboard.cli.output import print_json, say
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.settings.notify import Service

notify = typer.Typer(help=r"Where people are notified: \[notify] in callboard.toml.", no_args_is_help=True)


@notify.callback()
def _notify() -> None:
    pass


@notify.command("test")
def try_out(json: Json = False) -> None:
    r"""Send a message to every service of \[notify] urls.

    Exit code 1: at least one did not take it.
    """
    workspace = open_workspace()
    services = workspace.settings.notify.services(workspace.environ)
    if not services:
        raise ConfigError('has no service; give it some, such as urls = ["env:NOTIFY_URL"]', key="notify.urls")
    problems = wait_for(_try_all(workspace, services))
    rows = [
        {"service": service.shown, "ok": not problem, "problem": problem or None}
        for service, problem in zip(services, problems, strict=True)
    ]
    if json:
        print_json({"ok": not any(problems), "services": rows})
    else:
        for service, problem in zip(services, problems, strict=True):
            say(f"{service.shown}: {problem or 'took it'}")
    if any(problems):
        raise typer.Exit(FAILED)


async def _try_all(workspace: Workspace, services: tuple[Service, ...]) -> list[str]:
    return await asyncio.gather(*(_try(workspace, service) for service in services))


async def _try(workspace: Workspace, service: Service) -> str:
    """Why it did not work; "" when it did."""
    from callboard.launch.notify_process import Message, send

    if not service.url:
        return "that variable is not set"
    text = "Callboard can reach you here. It tells you of questions, budgets, failed runs, dead letters, rollbacks and agents that are down."
    try:
        await send(Message(service.url, f"[{workspace.root.name}] a test", text), workspace.environ)
    except (NotificationFailed, OSError) as error:
        return workspace.redactor.text(str(error))
    return ""
