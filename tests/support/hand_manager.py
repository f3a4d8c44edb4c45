"""A manager by hand: gives work to agents from outside over a real bus, and hears what they say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from outside_agent import OutsideAgent, over_http, over_stdio
from roster import Workspace as Made

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.messages import Body, ConsultRequested, Draft, Envelope, ReviewRequested, TaskAssigned
from callboard.bus.task import Briefing, TaskSpec

SPEC = TaskSpec(key="driver-1/b", title="Write b", agent="driver-1", checks=("test -e b.txt",))


@dataclass(frozen=True)
class Manager:
    """Hands out work by hand, and hears what is said."""

    workspace: Workspace
    url: str
    run: str
    base: str
    mcp: str
    """Where the MCP server is."""
    tokens: Mapping[str, str]

    @asynccontextmanager
    async def bus(self) -> AsyncIterator[Bus]:
        async with await Bus.connect(self.url, self.run) as bus:
            yield bus

    @asynccontextmanager
    async def agent(self, name: str, token: str = "") -> AsyncIterator[OutsideAgent]:
        async with over_http(self.mcp, token or self.tokens[name]) as agent:
            yield agent

    @asynccontextmanager
    async def over_stdio(self, name: str, token: str = "") -> AsyncIterator[OutsideAgent]:
        """The same through a server of its own."""
        token, made = token or self.tokens[name], Made(self.workspace.root)
        async with over_stdio(made, token, CALLBOARD_BUS_URL=self.url) as agent:
            yield agent

    async def assign(self, agent: str, id: str, attempt: int = 1, checks: tuple[str, ...] = SPEC.checks) -> None:
        spec, briefing = SPEC.model_copy(update={"checks": checks}), Briefing(agent=agent, version="")
        await self.send(agent, TaskAssigned(spec=spec, briefing=briefing, base=self.base, start=self.base), id, attempt)

    async def consult(self, reviewer: str, id: str) -> None:
        request = ConsultRequested(
            consult=f"{id}.c",
            spec=SPEC,
            agent="driver-7",
            base=self.base,
            problem="which way?",
            questions=("left or right?",),
            deadline=utc_now() + timedelta(hours=1),
        )
        await self.send(reviewer, request, id, 1)

    async def ask_review(self, reviewer: str, id: str, commit: str | None = None) -> None:
        request = ReviewRequested(
            review=f"{id}.1.1",
            spec=SPEC,
            agent="driver-1",
            base=self.base,
            commit=commit,
            requirements_hash="h",
            deadline=utc_now() + timedelta(hours=1),
        )
        await self.send(reviewer, request, id, 1)

    async def send(self, agent: str, body: Body, id: str, attempt: int) -> None:
        async with self.bus() as bus:
            await bus.send(Draft(agent, body, task=id, attempt=attempt), sender="manager")

    async def said(self, agent: str, id: str, attempt: int = 1) -> list[Envelope]:
        """What an agent has told the manager about a task, the oldest first."""
        async with self.bus() as bus:
            return [
                message
                async for entry in bus.journal()
                for message in entry.messages
                if (message.sender, message.recipient) == (agent, "manager")
                and (message.task, message.attempt) == (id, attempt)
            ]

    async def kinds(self, agent: str, id: str, attempt: int = 1) -> list[str]:
        return [message.kind for message in await self.said(agent, id, attempt)]

    async def heard(self, kind: str, agent: str, id: str) -> None:
        """Wait until an agent has said this of a task."""
        while True:
            if kind in await self.kinds(agent, id):
                return
            await asyncio.sleep(0.1)
