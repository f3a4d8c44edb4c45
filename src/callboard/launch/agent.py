"""One agent's process: the manager with its hands, a driver, or a reviewer."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from loguru import logger

from callboard.agents import shift
from callboard.agents.manager.budget_watch import BudgetWatch
from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.office import Office
from callboard.agents.manager.watch import DirectionsWatch, read_directions
from callboard.agents.runtime import Handler, Runtime
from callboard.agents.settings import AgentSettings
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.app import Workspace, consumer_name
from callboard.bus.board import Board, BriefingDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.errors import BoardStale, InboxFull, RosterError, WorkspaceError
from callboard.bus.messages import AgentStarted, AgentStopped, Draft, Envelope
from callboard.bus.redaction import Redactor
from callboard.bus.room import until_room
from callboard.bus.states import WORKERS
from callboard.launch.backlog import carry
from callboard.launch.lent import lent
from callboard.launch.log_form import log_form, scrubbed
from callboard.launch.minding import minding
from callboard.launch.runs import landed_before
from callboard.launch.serving import bus_url
from callboard.settings.settings import LogSettings

CHECKS = 10
"""Checks of one task that may all take their longest; more are stopped at the handler's deadline."""
HAND_S = 24 * 3600.0
"""For the desk and its hands: each command of a gate has its own limit, but a gate may wait long for a free slot."""
ENTER_EVERY_S = 0.05
HANDLER_MARGIN_S = 600.0
"""What a handler may take beyond its brain's or gate's own time limits before it counts as hung."""


async def run_agent(workspace: Workspace, name: str, run: str, again: tuple[str, ...] = ()) -> int:
    """Work as one agent until the process is asked to stop.

    Raises:
        RosterError: The roster has no such agent, or another process works as it.
    """
    agent = workspace.settings.agent(name)
    if agent is None:
        raise RosterError(f"no agent {name!r} in callboard.toml; there are: {', '.join(workspace.roster)}")
    if agent.outside:
        raise RosterError(f"{name} is from outside: whoever works for it joins through `callboard mcp` (docs/mcp.md)")
    configure_logging(workspace.settings.log, name, run, workspace.redactor)
    lock = ProcessLock(workspace.layout.lock(name))
    await acquire(lock)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    bus = await Bus.connect(bus_url(workspace), run, redactor=workspace.redactor)
    try:
        consumer = consumer_name(name)
        await until_room(lambda: say_started(bus, workspace, agent), stop)
        if name == MANAGER:
            await _manage(bus, workspace, consumer, stop, again)
        else:
            own, may_take_s = workspace.handler(agent, bus), patience_s(workspace, agent)
            async with minding(workspace, agent), lent(workspace, agent, own, consumer, may_take_s, stop) as handler:
                await make_runtime(bus, workspace, consumer, {name: handler}, may_take_s).run(stop)
        await say_stopped(bus, workspace, agent)
    except InboxFull as error:
        # it could not say that it came, or that it goes: the launcher sees that too
        logger.warning("stopped while there was no room", error=str(error))
    finally:
        await bus.close()
        lock.release()
    return 0


def longest_s(workspace: Workspace, agent: AgentSettings) -> float:
    """How long one message may keep it busy. Of one task or review: the brain's own limit, setup before and after it, and the task's checks."""
    project = workspace.settings.project
    works_s = agent.timeout_s + project.gate_timeout_s * (2 * len(project.setup) + CHECKS)
    deploy = workspace.settings.deploy
    return max(works_s, deploy.longest_step_s) if deploy and agent.role == "deployment" else works_s


def patience_s(workspace: Workspace, agent: AgentSettings) -> float:
    """The same, with what may wait for it: a driver's task waits for the one that the driver does for another run."""
    return longest_s(workspace, agent) * (2 if agent.role == "driver" else 1)


async def _manage(bus: Bus, workspace: Workspace, consumer: str, stop: asyncio.Event, again: tuple[str, ...]) -> None:
    office = Office(bus, consumer, on_lost=stop.set)
    await until_room(lambda: take_office(office), stop)
    await until_room(lambda: carry(bus, workspace), stop)
    base = (await bus.board()).run.base
    landed = await landed_before(bus.url, workspace, bus.run, base, again)
    paths = workspace.settings.paths
    watch = DirectionsWatch(bus, workspace.root / paths.directions, paths.directions, list(workspace.roster), landed)
    async with asyncio.TaskGroup() as group:
        group.create_task(watch.run(stop))
        group.create_task(BudgetWatch(bus).run(stop))
        handlers = workspace.manager_handlers(bus, office)
        group.create_task(make_runtime(bus, workspace, consumer, handlers, HAND_S).run(stop))


async def take_office(office: Office) -> None:
    """Become the manager; another one who enters at the same moment is waited for."""
    while True:
        try:
            await office.enter()
        except BoardStale:
            logger.warning("another manager entered at the same moment")
            await asyncio.sleep(ENTER_EVERY_S)
        else:
            return


def make_runtime(
    bus: Bus, workspace: Workspace, consumer: str, handlers: Mapping[str, Handler], timeout_s: float
) -> Runtime:
    may_send = workspace.capabilities().may_send
    return Runtime(bus, handlers, consumer, may_send=may_send, handler_timeout_s=timeout_s + HANDLER_MARGIN_S)


async def say_started(bus: Bus, workspace: Workspace, agent: AgentSettings) -> Envelope:
    """An agent's first words: it is there.

    Returns:
        What the manager is told.
    """
    board = briefed(await bus.board(), workspace, agent.name)
    facts = shift.startup_facts(board, agent.name, place(workspace, agent.name))
    body = AgentStarted(role=agent.role, pid=os.getpid(), host=socket.gethostname(), facts=facts)
    told = await bus.send(Draft(MANAGER, body), sender=agent.name)
    if agent.name != MANAGER:
        await bus.send(shift.startup_entry(agent.name, facts), sender=agent.name)
    return told


def briefed(board: Board, workspace: Workspace, name: str) -> Board:
    """The board with an agent's briefing: at the first start of a run the manager has read no directions yet."""
    if board.get(f"briefing:{name}", BriefingDoc).briefing is not None:
        return board
    paths = workspace.settings.paths
    read = read_directions(workspace.root / paths.directions, paths.directions, [name], {})
    return board.with_changes(
        Change(f"briefing:{name}", BriefingDoc(version=1, briefing=file.briefing)) for file in read.files
    )


async def say_stopped(bus: Bus, workspace: Workspace, agent: AgentSettings, reason: str = "the roster stops") -> None:
    """Its last ones."""
    where = await asyncio.to_thread(place_left, workspace, agent)
    facts = shift.shutdown_facts(await bus.board(), agent.name, where)
    await bus.send(shift.shutdown_entry(agent.name, facts, reason), sender=agent.name)
    await bus.send(Draft(MANAGER, AgentStopped(reason=reason)), sender=agent.name)


def place(workspace: Workspace, name: str) -> shift.Place:
    """The agent's work branch as it is now; the manager has none, so its log branch."""
    branch = f"{name}/log" if workspace.roster.get(name) not in WORKERS else f"{name}/work"
    return shift.Place(branch, workspace.repository.resolve(f"refs/heads/{branch}") or "")


def place_left(workspace: Workspace, agent: AgentSettings) -> shift.Place:
    """The same, with the work that is in no commit; of a clone that cannot be read nothing is said."""
    where = place(workspace, agent.name)
    if agent.role not in WORKERS:
        return where
    try:
        return replace(where, uncommitted=workspace.clone(agent.name).unclaimed())
    except WorkspaceError as error:
        logger.warning("clone could not be read", reason=str(error))
        return where


def configure_logging(log: LogSettings, name: str, run: str, redactor: Redactor) -> None:
    """Log lines, tracebacks in them included, to stderr, which the launcher keeps in `.callboard/logs/<agent>.log`."""

    scrub = scrubbed(redactor, log.format)

    def write(message: str) -> None:
        sys.stderr.write(scrub(message))
        sys.stderr.flush()

    logger.remove()
    logger.configure(extra={"agent": name, "run": run})
    logger.add(write, level=log.level.upper(), format=log_form(name, log.format), backtrace=False, diagnose=False)


def agent_words(name: str, run: str, again: Sequence[str] = ()) -> list[str]:
    """An agent's command line, behind `callboard`. The bus's URL may hold a password, so it goes by environment."""
    return ["agent", name, "--run", run, *(part for key in again for part in ("--again", key))]
