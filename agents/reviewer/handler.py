"""A reviewer: judges what it is asked to, blindly, in a checkout of its own; says nothing rather than something unread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from callboard.agents.brains.answer import plain
from callboard.agents.brains.brain import Judge, ReviewJob, Seat
from callboard.agents.brains.budget import reached_by
from callboard.agents.manager.decision import MANAGER
from callboard.agents.notices import log_notice
from callboard.agents.reviewer.consulting import Consulting
from callboard.agents.reviewer.quotes import unknown_requirements, verify
from callboard.agents.reviewer.verdict import abstention, parse_verdict
from callboard.agents.runtime import Work
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Verdict
from callboard.bus.caps import Reached
from callboard.bus.clock import utc_now
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent, WorkspaceError
from callboard.bus.messages import (
    JOURNAL,
    ConsultRequested,
    Draft,
    Envelope,
    FeedbackLogged,
    Outcome,
    ParkCause,
    ReviewRequested,
    VerdictGiven,
)
from callboard.feedback.facts import finding_fact

MAX_DIFF = 400_000
"""Bytes of a diff that a brain is given; the checkout has the rest."""
OVERTIME_S = 30.0
"""A brain keeps its own time limit; one that does not even end its processes within this is cancelled."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a reviewer works with."""

    seat: Seat
    """Its `timeout_s` is the longest one review may take; the request's deadline may leave less."""
    clone: AgentClone
    """The reviewer's own, never the driver's."""
    repository: Repository
    """The user's, in which what is judged is pinned."""


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

    def lane(self, envelope: Envelope) -> str:
        # one lane for both: they share the checkout
        return "work" if isinstance(envelope.body, ReviewRequested | ConsultRequested) else "notice"

    async def handle(self, work: Work) -> Outcome:
        match work.envelope.body:
            case ReviewRequested() as request:
                return await self._reviewed(work.envelope, request)
            case ConsultRequested() as consult:
                return await self._consulting.answer(work.envelope, consult)
        return log_notice(self._bench.seat.agent, work.envelope)

    async def _reviewed(self, envelope: Envelope, request: ReviewRequested) -> Outcome:
        """A verdict; a brain that cannot think now abstains, and is asked again once it can."""
        agent = self._bench.seat.agent
        try:
            return _given(agent, request, await self._judge(envelope, request))
        except BrainParked as error:
            return _given(agent, request, abstention(str(error)), parked=error.cause, until=error.until)
        except BudgetSpent as error:
            return _given(agent, request, abstention(str(error)), parked="budget", reached=reached_by(error))

    async def _judge(self, envelope: Envelope, request: ReviewRequested) -> Verdict:
        """A verdict in time that was read whole; else an abstention that says why."""
        try:
            verdict = await self._ask(envelope, request)
        except (BrainParked, BudgetSpent):
            raise
        except (BrainError, WorkspaceError) as error:
            return abstention(str(error))
        if self._now() > request.deadline:
            return abstention("the verdict came after the deadline")
        return verdict

    async def _ask(self, envelope: Envelope, request: ReviewRequested) -> Verdict:
        self._time_left(request)
        diff = await run_to_end(self._prepare, request)
        limit_s = self._time_left(request)
        seat = replace(self._bench.seat, timeout_s=limit_s)
        job = ReviewJob(seat=seat, task=envelope.task, attempt=envelope.attempt, request=request, diff=diff)
        try:
            async with asyncio.timeout(limit_s + OVERTIME_S):
                said = await self._brain.review(job)
        except TimeoutError as error:
            raise BrainError(f"no verdict within {limit_s:g} s, nor soon after") from error
        return await run_to_end(self._verified, parse_verdict(said.text), request)

    def _time_left(self, request: ReviewRequested) -> float:
        left_s = (request.deadline - self._now()).total_seconds()
        if left_s <= 0:
            raise BrainError(
                f"the deadline {request.deadline.astimezone(UTC):%H:%M:%SZ} had passed before the review began"
            )
        return min(left_s, self._bench.seat.timeout_s)

    def _prepare(self, request: ReviewRequested) -> str:
        """Check out what is judged; without code that is the base, where commands can be run again."""
        self._bench.clone.prepare(_judged(request))
        return read_diff(self._bench.repository, request) if request.commit else ""

    def _verified(self, verdict: Verdict, request: ReviewRequested) -> Verdict:
        """Findings are held against the pinned commit as git has it, not against the checkout a brain could change."""

        def read(path: str) -> bytes | None:
            return self._bench.repository.read(_judged(request), path)

        unknown = unknown_requirements(verdict.findings, request.spec)
        noted = [verdict.notes, *(f"(the task has no requirement {plain(name, 200)!r})" for name in unknown)]
        findings = verify(verdict.findings, read)
        return verdict.model_copy(update={"findings": findings, "notes": "\n".join(filter(None, noted))})


def read_diff(repository: Repository, request: ReviewRequested) -> str:
    """The diff as text, cut at MAX_DIFF and saying so."""
    assert request.commit is not None
    raw = repository.diff(request.base, request.commit)
    shown = raw[:MAX_DIFF].decode("utf-8", "replace")
    left = len(raw) - MAX_DIFF
    return shown if left <= 0 else f"{shown}\n[cut: {left} more bytes; the checkout has all of it]\n"


def _judged(request: ReviewRequested) -> str:
    return request.commit or request.base


def _given(
    agent: str,
    request: ReviewRequested,
    verdict: Verdict,
    *,
    parked: ParkCause | None = None,
    until: datetime | None = None,
    reached: Reached | None = None,
) -> Outcome:
    body = VerdictGiven(
        review=request.review,
        commit=request.commit,
        requirements_hash=request.requirements_hash,
        vote=verdict.vote,
        findings=verdict.findings,
        notes=verdict.notes,
        parked=parked,
        until=until,
        reached=reached,
    )
    entry = FeedbackLogged(
        log=agent, entry="review", title=request.spec.title, facts=_facts(request, verdict), text=verdict.notes
    )
    return Outcome((Draft(MANAGER, body), Draft(JOURNAL, entry)))


def _facts(request: ReviewRequested, verdict: Verdict) -> tuple[str, ...]:
    subject = f"commit `{request.commit[:7]}`" if request.commit else "evidence without code"
    return (
        f"{verdict.vote}: {subject} of {request.agent}, review {request.review}",
        *map(finding_fact, verdict.findings),
    )
