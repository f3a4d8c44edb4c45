"""Tells a collector what a launch does, where one is named. No run waits for it: it reads the archive, in a thread of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Any

from callboard.app import Workspace
from callboard.bus.errors import ConfigError
from callboard.launch.ledgering import project_name
from callboard.telemetry.destination import destination, is_wanted

LAST_S = 5.0
"""How long the end of a launch waits for the collector; what is missing is told by the next launch of the run."""


async def keep_telling(
    workspace: Workspace, run: str, stop: asyncio.Event, say: Callable[[str], None], *, last_s: float = LAST_S
) -> None:
    """Until `stop`, then what is archived by then; at once where no collector is named."""
    if not is_wanted(workspace.settings.telemetry, workspace.environ):
        return
    loop, stopping = asyncio.get_running_loop(), Event()
    ended: asyncio.Future[BaseException | None] = loop.create_future()

    def told(text: str) -> None:
        _in(loop, say, text)

    def work() -> None:
        error: BaseException | None = None
        try:
            _tell(workspace, run, stopping, told)
        except BaseException as found:  # noqa: BLE001 - handed over to who waits for the thread
            error = found
        _in(loop, _settle, ended, error)

    # a collector that hangs is nobody's to wait for, the end of the process included
    Thread(target=work, name="telemetry", daemon=True).start()
    waiting = asyncio.create_task(stop.wait())
    try:
        ends: tuple[asyncio.Future[Any], ...] = (ended, waiting)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        await asyncio.wait({ended}, timeout=last_s)
        if ended.done() and (error := ended.result()) is not None:
            raise error
    finally:
        stopping.set()
        waiting.cancel()


def _tell(workspace: Workspace, run: str, stop: Event, say: Callable[[str], None]) -> None:
    from callboard.telemetry.sender import Sender
    from callboard.telemetry.teller import Teller

    settings = workspace.settings
    archive = workspace.archive(run)
    models = {model.priced_as: (model.provider, model.model) for model in settings.models.values()}
    metered = frozenset(agent.name for agent in settings.agents if agent.cli)
    try:
        to = destination(settings.telemetry, workspace.environ)
        if to is None:
            return
        with Sender(to, project=project_name(workspace)) as sender:
            Teller(run, archive, archive.path.with_name("told.json"), sender, say, models, metered).tell(stop)
    except ConfigError as error:
        say(f"{error}; nothing is told to a collector")


def _settle(future: asyncio.Future[BaseException | None], error: BaseException | None) -> None:
    if not future.done():
        future.set_result(error)


def _in(loop: asyncio.AbstractEventLoop, work: Callable[..., object], *args: object) -> None:
    with suppress(RuntimeError):  # the loop is over, and so is whoever listened
        loop.call_soon_threadsafe(work, *args)
