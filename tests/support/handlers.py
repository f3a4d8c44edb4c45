"""Handlers for tests of the runtime: each does one thing that real ones may do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from callboard.agents.runtime import Work
from callboard.bus.messages import Draft, Envelope, Outcome, TaskCancelled, TaskProgressed

Behaviour = Callable[[Work], Awaitable[Outcome | None]]


async def nothing(work: Work) -> None:
    """Handled, and nothing follows."""


class Scripted:
    """Does for each message what `behave` does, and remembers in which order things began and ended.

    A message's name is its task; its lane is the part before the slash.
    """

    def __init__(self, behave: Behaviour = nothing) -> None:
        self.behave = behave
        self.began: list[str] = []
        self.ended: list[str] = []
        self._changed = asyncio.Condition()

    def lane(self, envelope: Envelope) -> str:
        return envelope.task.partition("/")[0]

    async def handle(self, work: Work) -> Outcome:
        name = work.envelope.task
        await self._note(self.began, name)
        try:
            return await self.behave(work) or Outcome()
        finally:
            await self._note(self.ended, name)

    async def _note(self, log: list[str], name: str) -> None:
        log.append(name)
        async with self._changed:
            self._changed.notify_all()

    async def until(self, so: Callable[[], bool], seconds: float = 300) -> None:
        """Wait until it is so; looks whenever a message began or ended."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(so)


def message(name: str, inbox: str = "driver-1") -> Draft:
    return Draft(inbox, TaskCancelled(reason="test"), task=name)


def progress(text: str = "", inbox: str = "manager") -> Draft:
    return Draft(inbox, TaskProgressed(doing=text))
