"""A reviewer: judges what it is asked to, blindly, in a checkout of its own; says nothing rather than something unread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from callboard.agents.brains.brain import Judge, ReviewJob, Seat
from callboard.agents.brains.budget import reached_by
from callboard.agents.notices import log_notice
from callboard.agents.reviewer import questions, words
from callboard.agents.reviewer.bench import Bench
from callboard.agents.reviewer.consulting import Consulting
from callboard.agents.reviewer.in_time import OVERTIME_S
from callboard.agents.reviewer.releasing import Releasing
from callboard.agents.reviewer.second import parse_synthesis, parse_vote
from callboard.agents.reviewer.verdict import abstention, parse_verdict
from callboard.agents.reviewer.words import Word
from callboard.agents.runtime import Work
from callboard.agents.threads import run_to_end
from callboard.bus.clock import utc_now
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent, WorkspaceError
from callboard.bus.messages import (
    ConsultRequested,
    Envelope,
    Outcome,
    ReleaseReviewRequested,
    ReviewRequest,
    SynthesisRequested,
    VoteRequested,
)
from callboard.bus.reviews import SecondVote, Synthesis

MARGIN_S = 10.0
"""What is kept of the time to the deadline while commands of findings run: a late verdict would be none."""


class ReviewerHandler:
    """Handles a reviewer's inbox.

    Args:
        now: The time that deadlines are held against.
    """

    def __init__(self, bench: Bench, brain: Judge, *, now: Callable[[], datetime] = utc_now) -> None:
        self._bench = bench
        self._brain = brain
        self._now = now
        self._consulting = Consulting(bench.seat, bench.clone, bench.repository, brain, now)
        self._releasing = Releasing(bench.seat, bench.clone, bench.repository, brain, now)

    def lane(self, envelope: Envelope) -> str:
        # one lane for all: they share the checkout
        asks = ReviewRequest | ConsultRequested | ReleaseReviewRequested
        return "work" if isinstance(envelope.body, asks) else "notice"

    async def handle(self, work: Work) -> Outcome:
        match work.envelope.body:
            case ReviewRequest() as request:
                return await self._answered(work.envelope, request)
            case ConsultRequested() as consult:
                return await self._consulting.answer(work.envelope, consult)
            case ReleaseReviewRequested() as release:
                return await self._releasing.answer(release)
        return log_notice(self._bench.seat.agent, work.envelope)

    async def _answered(self, envelope: Envelope, request: ReviewRequest) -> Outcome:
        """A word; a brain that cannot think now abstains, and is asked again once it can."""
        agent = self._bench.seat.agent
        try:
            return words.given(agent, request, await self._in_time(envelope, request))
        except BrainParked as error:
            return words.given(agent, request, _none(request, str(error)), parked=error.cause, until=error.until)
        except BudgetSpent as error:
            return words.given(agent, request, _none(request, str(error)), parked="budget", reached=reached_by(error))

    async def _in_time(self, envelope: Envelope, request: ReviewRequest) -> Word:
        """A word in time that was read whole; else an abstention that says why."""
        try:
            word = await self._read(await self._ask(envelope, request), request)
        except (BrainParked, BudgetSpent):
            raise
        except (BrainError, WorkspaceError) as error:
            return _none(request, str(error))
        if self._now() > request.deadline:
            return _none(request, f"the {words.CALLED[request.stage]} came after the deadline")
        return word

    async def _ask(self, envelope: Envelope, request: ReviewRequest) -> str:
        self._time_left(request)
        diff = await run_to_end(self._bench.prepare, request)
        limit_s = self._time_left(request)
        seat = replace(self._bench.seat, timeout_s=limit_s)
        try:
            async with asyncio.timeout(limit_s + OVERTIME_S):
                return await self._said(envelope, request, seat, diff)
        except TimeoutError as error:
            raise BrainError(f"no {words.CALLED[request.stage]} within {limit_s:g} s, nor soon after") from error

    async def _said(self, envelope: Envelope, request: ReviewRequest, seat: Seat, diff: str) -> str:
        if isinstance(request, SynthesisRequested | VoteRequested):
            asked = questions.inquiry(seat, envelope, request, diff)
            return (await self._brain.answer(asked)).text
        job = ReviewJob(seat=seat, task=envelope.task, attempt=envelope.attempt, request=request, diff=diff)
        return (await self._brain.review(job)).text

    async def _read(self, text: str, request: ReviewRequest) -> Word:
        match request:
            case SynthesisRequested():
                return parse_synthesis(text)
            case VoteRequested():
                return parse_vote(text)
        return await self._bench.checked(parse_verdict(text), request, lambda: self._left_s(request) - MARGIN_S)

    def _left_s(self, request: ReviewRequest) -> float:
        return (request.deadline - self._now()).total_seconds()

    def _time_left(self, request: ReviewRequest) -> float:
        left_s = self._left_s(request)
        if left_s <= 0:
            raise BrainError(
                f"the deadline {request.deadline.astimezone(UTC):%H:%M:%SZ} had passed before the review began"
            )
        return min(left_s, self._bench.seat.timeout_s)


def _none(request: ReviewRequest, why: str) -> Word:
    """What is given where nothing could be had."""
    nothing = abstention(why)
    match request:
        case SynthesisRequested():
            return Synthesis(abstained=nothing.notes)
        case VoteRequested():
            return SecondVote(vote="abstained", notes=nothing.notes)
    return nothing
