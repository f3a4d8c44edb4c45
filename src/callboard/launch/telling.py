"""For commands that the manager carries out: the one that runs here, or of a stopped roster, who comes to its desk for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loguru import logger

from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.office import Office
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.app import Workspace, consumer_name
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError, RosterError
from callboard.bus.messages import Body, CommandHandled, Draft
from callboard.launch.agent import make_runtime, take_office
from callboard.launch.archiving import bring_archive_up
from callboard.launch.joining import current_run, open_bus
from callboard.launch.ledgering import bring_ledger_up
from callboard.launch.scribing import bring_logs_up
from callboard.launch.status import is_running

ANSWER_S = 60.0
"""How long a command waits for the manager; it decides in milliseconds, but a promotion moves a checkout."""


async def give(workspace: Workspace, command: Body, *, key: str = "") -> CommandHandled:
    """Tell the manager, and wait for its answer; a stopped roster's manager comes to its desk for it.

    Args:
        key: The same key again is the same command, which is carried out once.

    Raises:
        RosterError: Nothing was launched here yet, or the manager did not answer in time; the command then waits.
    """
    async with open_bus(workspace, current_run(workspace)) as bus:
        before = await bus.seq()
        sent = await bus.send(Draft(MANAGER, command), sender="person", idempotency_key=key)
        if is_running(workspace):
            return await _answer(bus, before if not key else 0, sent.id)
        async with _manager(workspace, bus):
            handled = await _answer(bus, before if not key else 0, sent.id)
        await bring_logs_up(workspace, bus)
        try:
            await bring_archive_up(workspace, bus, logger.error)
        except (RosterError, BusError) as error:
            # the command was carried out; the next launch archives it
            logger.warning("journal not archived", error=str(error))
        await bring_ledger_up(workspace, logger.warning)
        return handled


@asynccontextmanager
async def _manager(workspace: Workspace, bus: Bus) -> AsyncIterator[None]:
    """The manager's desk and its landing hand in this process. Gates wait for a launch: they may take long."""
    lock = ProcessLock(workspace.layout.lock(MANAGER))
    await acquire(lock)
    stop = asyncio.Event()
    try:
        consumer = consumer_name(MANAGER)
        office = Office(bus, consumer, on_lost=stop.set)
        await take_office(office)
        handlers = workspace.manager_handlers(bus, office)
        del handlers["gate"]
        async with asyncio.TaskGroup() as group:
            group.create_task(make_runtime(bus, workspace, consumer, handlers, ANSWER_S).run(stop))
            try:
                yield
            finally:
                stop.set()
    finally:
        lock.release()


async def _answer(bus: Bus, after: int, command: str) -> CommandHandled:
    try:
        async with asyncio.timeout(ANSWER_S):
            async for entry in bus.journal(after, follow=True):
                for message in entry.messages:
                    if isinstance(message.body, CommandHandled) and message.body.command == command:
                        return message.body
    except TimeoutError:
        pass
    raise RosterError(
        f"the manager has not answered within {ANSWER_S:.0f} s; the command waits in its inbox, "
        "`callboard logs manager` may tell why"
    )
