"""A driver of the launched roster also does the phases of runs from outside that name it (decision 0049).

It reads their inboxes beside its own. It has one clone, so what it is assigned in one run waits for what it does in another.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from loguru import logger

from callboard.agents.handler import Handler, Work
from callboard.agents.manager.decision import MANAGER
from callboard.agents.runtime import Runtime
from callboard.bus.board import OutsideDoc, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.messages import AgentStarted, AgentStopped, Draft, Envelope, Outcome, TaskAssigned
from callboard.hosting import drivers
from callboard.launch.lasting import lasting
from callboard.launch.runs import outside_runs
from callboard.launch.serving import bus_url

if TYPE_CHECKING:
    from callboard.agents.settings import AgentSettings
    from callboard.app import Workspace

HANDLER_MARGIN_S = 600.0
"""As for its own run: what a handler may take beyond its brain's or gate's own time limits."""
LOOK_EVERY_S = 2.0
"""How soon a driver hears of a run that names it; a look asks git once."""
LOOKS_AFTER_END = 15
"""A run that has ended is looked at again after so many looks: a phase of it may have been brought back."""
ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class InTurn:
    """A driver's handler in one run; tasks of all its runs are done one at a time."""

    handler: Handler
    turn: asyncio.Lock
    """Protects the clone."""

    def lane(self, envelope: Envelope) -> str:
        return self.handler.lane(envelope)

    async def handle(self, work: Work) -> Outcome:
        if not isinstance(work.envelope.body, TaskAssigned):
            return await self.handler.handle(work)
        async with self.turn:
            return await self.handler.handle(work)


@asynccontextmanager
async def lent(
    workspace: Workspace, agent: AgentSettings, own: Handler, consumer: str, timeout_s: float, stop: asyncio.Event
) -> AsyncIterator[Handler]:
    """Do what runs from outside want of an agent, while it does its own run's work with the handler that this gives.

    Args:
        timeout_s: As its own runtime's: the longest that one message may be worked on.
    """
    if agent.name not in drivers(workspace):
        yield own
        return
    loans = _Loans(workspace, agent, consumer, timeout_s, stop)
    task = asyncio.create_task(lasting(f"{agent.name}'s work for runs from outside", loans.run, logger.warning, stop))
    try:
        yield InTurn(own, loans.turn)
    finally:
        stop.set()
        await task


@dataclass(slots=True)
class _Loans:
    workspace: Workspace
    agent: AgentSettings
    consumer: str
    timeout_s: float
    stop: asyncio.Event
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _rests: dict[str, int] = field(default_factory=dict)
    """Run -> looks until it is looked at again; -1 = never, since it does not name us."""

    async def run(self) -> None:
        """Until `stop`, and until all that is at work has ended."""
        served: dict[str, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while not self.stop.is_set():
                for name in await asyncio.to_thread(outside_runs, self.workspace.repository):
                    is_served = name in served and not served[name].done()
                    if not is_served and not self._rests_now(name):
                        served[name] = group.create_task(self._look(name))
                await self._wait()

    def _rests_now(self, name: str) -> bool:
        left = self._rests.get(name, 0)
        if left > 0:
            self._rests[name] = left - 1
        return left != 0

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stop.wait(), LOOK_EVERY_S)

    async def _look(self, name: str) -> None:
        workspace = self.workspace
        bus = await Bus.connect(bus_url(workspace), name, redactor=workspace.redactor)
        try:
            doc = await bus.doc("outside", OutsideDoc)
            if doc.version and self.agent.name not in doc.drivers:
                self._rests[name] = -1
            elif doc.version and await self._is_over(bus):
                self._rests[name] = LOOKS_AFTER_END
            elif doc.version:
                await self._work(bus)
        finally:
            await bus.close()

    async def _is_over(self, bus: Bus) -> bool:
        ended = (await bus.doc("run", RunDoc)).state in ENDED
        return ended and not any((await bus.backlog([self.agent.name])).values())

    async def _work(self, bus: Bus) -> None:
        """Sit in the run until it is over, or we stop."""
        agent, workspace = self.agent, self.workspace
        async with self.turn:  # what it needs is looked for while nothing runs for it
            handler = InTurn(await asyncio.to_thread(workspace.handler, agent, bus), self.turn)
        if self.stop.is_set():
            return
        came = AgentStarted(role=agent.role, pid=os.getpid(), host=socket.gethostname())
        await bus.send(Draft(MANAGER, came), sender=agent.name)
        runtime = Runtime(
            bus,
            {agent.name: handler},
            self.consumer,
            may_send=workspace.capabilities().may_send,
            handler_timeout_s=self.timeout_s + HANDLER_MARGIN_S,
        )
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(runtime.run(over))
            while not self.stop.is_set() and not await self._is_over(bus):
                await self._wait()
            over.set()
        await bus.send(Draft(MANAGER, AgentStopped(reason="the roster stops, or the run is over")), sender=agent.name)
