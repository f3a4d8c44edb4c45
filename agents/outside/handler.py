"""What stands around the handler of an agent from outside: nothing begins before it was accepted."""

from __future__ import annotations

import asyncio

from callboard.agents.brains.brain import Failed, Parked
from callboard.agents.driver import entries
from callboard.agents.driver.entries import Kept
from callboard.agents.outside.brain import GONE
from callboard.agents.outside.hatch import Hatch, Left, Piece
from callboard.agents.runtime import Handler, Work
from callboard.bus.messages import Envelope, FeedbackLogged, Outcome, TaskAssigned, TaskCancelled

WORK = "work"
"""The lane of what asks for work, of drivers and of reviewers."""


class OutsideHandler:
    """Lays each piece of work at the hatch and has the role's own handler do the rest.

    Args:
        inner: A driver's or a reviewer's, with an OutsideBrain at the same hatch.
        accept_s: How long an offered task may wait to be accepted, while somebody is there.
    """

    def __init__(self, inner: Handler, hatch: Hatch, agent: str, *, accept_s: float) -> None:
        self._inner = inner
        self._hatch = hatch
        self._agent = agent
        self._accept_s = accept_s

    def lane(self, envelope: Envelope) -> str:
        return self._inner.lane(envelope)

    async def handle(self, work: Work) -> Outcome:
        envelope = work.envelope
        if isinstance(envelope.body, TaskCancelled):
            self._hatch.withdraw(envelope.task, envelope.attempt)
        if self.lane(envelope) != WORK:
            return await self._inner.handle(work)
        piece = await self._hatch.begin(envelope)
        outcome: Outcome | None = None
        try:
            outcome = await self._worked(work, piece)
        finally:
            await asyncio.shield(self._hatch.end(piece, outcome, _how(outcome)))
        return outcome

    async def _worked(self, work: Work, piece: Piece) -> Outcome:
        assigned = piece.envelope.body
        if not isinstance(assigned, TaskAssigned):
            return await self._inner.handle(work)
        try:
            async with asyncio.timeout(self._accept_s):
                await self._hatch.accepted(piece)
        except TimeoutError:
            reason = f"{self._agent} did not accept it within {self._accept_s:g} s"
            return entries.failed(self._agent, assigned, Failed(reason), Kept())
        except Left:
            return entries.parked(self._agent, assigned, Parked("away", GONE), Kept())
        return await self._inner.handle(work)


def _how(outcome: Outcome | None) -> str:
    """How a piece ended, behind its name."""
    if outcome is None:
        return "was taken away, or given back to be done again"
    kinds = [draft.body.kind for draft in outcome.messages if not isinstance(draft.body, FeedbackLogged)]
    return f"has ended with {', '.join(kinds)}" if kinds else "was taken away from you by the manager"
