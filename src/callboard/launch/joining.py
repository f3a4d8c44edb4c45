"""For commands: talk to the roster that runs here, or to the bus and the manager of one that is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.office import Office
from callboard.agents.workspace.commands import guard_prefix
from callboard.agents.workspace.locks import Holder, ProcessLock
from callboard.app import Workspace, consumer_name
from callboard.bus.bus import Bus
from callboard.bus.errors import RosterError
from callboard.bus.messages import CommandGiven, CommandHandled, Draft
from callboard.bus.server import EmbeddedServer
from callboard.bus.settings import EMBEDDED
from callboard.launch.agent import acquire, make_runtime, take_office
from callboard.launch.runs import runs
from callboard.launch.scribing import bring_logs_up

ANSWER_S = 60.0
"""How long a command waits for the manager; it decides in milliseconds, but a promotion moves a checkout."""
TURN_S = 30.0
"""How long a command waits for another one that has the stopped roster's server."""


def is_running(workspace: Workspace) -> Holder | None:
    """The launcher that runs here; None when the roster is stopped."""
    return ProcessLock(workspace.layout.lock("launch")).holder()


def current_run(workspace: Workspace) -> str:
    """The newest run of this repository.

    Raises:
        RosterError: Nothing was launched here yet.
    """
    known = runs(workspace.repository)
    if not known:
        raise RosterError("nothing was launched here yet; `callboard launch` starts the first run")
    return known[-1]


@asynccontextmanager
async def open_bus(workspace: Workspace, run: str) -> AsyncIterator[Bus]:
    """The bus of a run: of the roster that runs, or with an embedded server of our own until the end."""
    async with AsyncExitStack() as stack:
        url = workspace.settings.bus.url
        if url == EMBEDDED:
            url = await _embedded(workspace, stack)
        bus = await Bus.connect(url, run, redactor=workspace.redactor)
        stack.push_async_callback(bus.close)
        yield bus


async def _embedded(workspace: Workspace, stack: AsyncExitStack) -> str:
    """The URL of the launcher's server, or of one that is started here; commands do that one after the other."""
    server = EmbeddedServer(workspace.layout.bus, prefix=guard_prefix())
    if is_running(workspace):
        return server.url
    turn = ProcessLock(workspace.layout.lock("command"))
    await acquire(turn, TURN_S)
    stack.callback(turn.release)
    if is_running(workspace):
        return server.url
    await server.start()
    stack.push_async_callback(server.stop)
    return server.url


async def give(workspace: Workspace, command: CommandGiven, *, key: str = "") -> CommandHandled:
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
        return handled


@asynccontextmanager
async def _manager(workspace: Workspace, bus: Bus) -> AsyncIterator[None]:
    """The manager's desk and its landing hand in this process. Gates wait for a launch: they may take long."""
    lock = ProcessLock(workspace.layout.lock(MANAGER))
    await acquire(lock)
    stop = asyncio.Event()
    try:
        office = Office(bus, consumer_name(MANAGER), on_lost=stop.set)
        await take_office(office)
        handlers = workspace.manager_handlers(bus, office)
        async with asyncio.TaskGroup() as group:
            for inbox in (MANAGER, "land"):
                runtime = make_runtime(bus, workspace, inbox, consumer_name(inbox), handlers[inbox], ANSWER_S)
                group.create_task(runtime.run(stop))
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
