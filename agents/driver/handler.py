"""A driver: works on what it is assigned, one task at a time; hears notices meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from callboard.agents.brains.brain import Worker
from callboard.agents.driver import entries
from callboard.agents.driver.stop import Stop
from callboard.agents.driver.task_run import Post, TaskRun
from callboard.agents.notices import log_notice
from callboard.agents.runtime import Work
from callboard.bus.clock import utc_now
from callboard.bus.messages import Envelope, Outcome, TaskAssigned, TaskCancelled

WORK, NOTICE = "work", "notice"


@dataclass(slots=True)
class _Call:
    """One attempt, as far as notices are concerned."""

    stop: Stop = field(default_factory=Stop)
    at_work: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class DriverHandler:
    """Handles a driver's inbox.

    Args:
        now: Dates of commits.
    """

    def __init__(self, post: Post, brain: Worker, *, now: Callable[[], datetime] = utc_now) -> None:
        self._post = post
        self._brain = brain
        self._now = now
        self._calls: dict[tuple[str, int], _Call] = {}

    def lane(self, envelope: Envelope) -> str:
        return WORK if isinstance(envelope.body, TaskAssigned) else NOTICE

    async def handle(self, work: Work) -> Outcome:
        match work.envelope.body:
            case TaskAssigned() as assigned:
                return await self._assigned(work, assigned)
            case TaskCancelled() as cancelled:
                await self._cancelled(work.envelope, cancelled)
        return log_notice(self._post.seat.agent, work.envelope)

    async def _assigned(self, work: Work, assigned: TaskAssigned) -> Outcome:
        envelope = work.envelope
        key = (envelope.task, envelope.attempt)
        call = self._calls.setdefault(key, _Call())
        call.at_work = True
        try:
            agent = self._post.seat.agent
            await work.emit(*entries.accepted(agent, assigned, envelope.attempt, work.deliveries))
            return await TaskRun(self._post, self._brain, work, assigned, call.stop, self._now).run()
        finally:
            call.ended.set()
            if not call.stop.thrown:
                del self._calls[key]

    async def _cancelled(self, envelope: Envelope, cancelled: TaskCancelled) -> None:
        """Stop the attempt, also one whose turn has not come; done when its work is kept.

        So a crash before then brings back both messages, the assignment first.
        """
        call = self._calls.setdefault((envelope.task, envelope.attempt), _Call())
        call.stop.throw(cancelled.reason)
        if call.at_work:
            await call.ended.wait()
