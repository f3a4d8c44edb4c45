"""What every command does first: find the workspace, and talk to its manager."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from callboard.bus.errors import CommandRefused
from callboard.cli.output import note, print_json, say

if TYPE_CHECKING:
    from callboard.agents.workspace.locks import Holder
    from callboard.app import Workspace
    from callboard.bus.messages import Body, CommandHandled

T = TypeVar("T")


def open_workspace(start: Path | None = None) -> Workspace:
    """The workspace that a folder, or the current one, lies in; warnings of the rooms below go to stderr from here on."""
    from loguru import logger

    from callboard.app import Workspace

    logger.remove()
    workspace = Workspace.open(start or Path.cwd(), os.environ)

    def write(message: str) -> None:
        sys.stderr.write(workspace.redactor.text(message))

    logger.add(write, level="WARNING", format="{level.name}: {message}")
    return workspace


def wait_for(work: Coroutine[object, object, T]) -> T:
    import asyncio

    return asyncio.run(work)


def launchers(workspace: Workspace) -> list[Holder]:
    """Every launcher that runs here: the one with the manager first, then those of `launch --only`."""
    from callboard.agents.workspace.locks import ProcessLock

    locks = sorted((workspace.layout.home / "locks").glob("launch*"))
    return [holder for path in locks if (holder := ProcessLock(path).holder()) is not None]


def tell_manager(workspace: Workspace, command: Body, *, json: bool, by: str = "") -> None:
    """Give the manager a command and print its answer.

    Args:
        by: What the person said they are called; "" = found out.

    Raises:
        CommandRefused: The manager did not do it; its answer says why.
    """
    from callboard.bus.messages import CommandGiven
    from callboard.cli.person import who
    from callboard.launch.joining import current_run
    from callboard.launch.status import is_running
    from callboard.launch.telling import give

    current_run(workspace)
    if is_running(workspace) is None:
        note("nothing runs here: the manager comes to its desk for this command alone")
    if isinstance(command, CommandGiven):
        command = command.model_copy(update={"by": who(workspace, by)})
    handled = wait_for(give(workspace, command))
    answer(handled, json=json)


def answer(handled: CommandHandled, *, json: bool) -> None:
    if not handled.ok:
        raise CommandRefused(handled.text)
    if json:
        print_json({"ok": True, "text": handled.text, "task": handled.task or None})
    else:
        say(handled.text)
