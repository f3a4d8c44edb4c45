"""One change before three reviewers, as the product asks them and counts their words: blind verdicts, synthesis, votes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from benchmarks.review.changes import DRIVER, Case
from benchmarks.review.score import Says, Word

from callboard.agents.reviewer.consensus import Concluded, NoQuorum, Said, Seats, SecondRound, judge
from callboard.agents.reviewer.requirements import requirements_of
from callboard.agents.reviewer.second import counted
from callboard.agents.reviewer.standing import dropped, opinion, standing
from callboard.bus.clock import utc_now
from callboard.bus.messages import (
    Draft,
    Envelope,
    Outcome,
    ReviewRequest,
    ReviewRequested,
    ReviewWord,
    SynthesisGiven,
    SynthesisRequested,
    VerdictGiven,
    VoteGiven,
    VoteRequested,
    new_id,
)
from callboard.bus.reviews import Opinion, SecondVote, Standing, Synthesis, Verdict

RUN = "review"


class Reviewer(Protocol):
    """What reviews are asked of: the product's ReviewerHandler."""

    async def handle(self, work: Asked) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A message as a handler sees it."""

    envelope: Envelope
    deliveries: int = 1

    async def emit(self, *drafts: Draft) -> None:
        """Nobody listens."""


class NotNow(Exception):
    """A call was not made: the caps leave no room, or a provider takes nothing for a while. Nobody has abstained."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """All that was said about one change."""

    case: Case
    outcome: str
    """consensus, fixes, major_flaws, blocked or no_quorum."""
    open: tuple[Standing, ...]
    verdicts: Mapping[str, Verdict]
    """By seat; `dropped` of a finding is set by the product's own checks."""
    had_second_round: bool

    @property
    def trio(self) -> Word:
        says: Says = "pass" if self.outcome == "consensus" else "none" if self.outcome == "no_quorum" else "stop"
        return Word(self.case, says, tuple(it.finding for it in self.open))

    def alone(self, seat: str) -> Word:
        """What would have come of it if this seat alone had judged."""
        verdict = self.verdicts[seat]
        says: Says = "pass" if verdict.vote == "approved" else "none" if verdict.vote == "abstained" else "stop"
        return Word(self.case, says, tuple(it for it in verdict.findings if not dropped(it)))


@dataclass(frozen=True, slots=True)
class Commits:
    """Where a change lies in the repository."""

    base: str
    commit: str


@dataclass(frozen=True, slots=True)
class Panel:
    """Three reviewers, by name, and who sits where."""

    reviewers: Mapping[str, Reviewer]
    seats: Seats
    deadline: timedelta
    """Of each answer."""
    now: Callable[[], datetime] = utc_now

    async def review(self, case: Case, at: Commits) -> Reviewed:
        """Ask until there is an outcome.

        Raises:
            NotNow
        """
        request = self._request(case, at)
        words = _paid(await asyncio.gather(*(self._ask(name, request) for name in self.seats.names)))
        said = Said(dict(zip(self.seats.names, map(_verdict, words), strict=True)))
        is_second = False
        while isinstance(judged := judge(said, self.seats, late=False), SecondRound):
            is_second = True
            said = await self._second(judged.stage, said, request)
        assert isinstance(judged, Concluded | NoQuorum), "everybody was asked"
        return Reviewed(
            case=case,
            outcome=judged.outcome if isinstance(judged, Concluded) else "no_quorum",
            open=judged.open if isinstance(judged, Concluded) else (),
            verdicts={self.seats.by_name[name]: verdict for name, verdict in said.verdicts.items()},
            had_second_round=is_second,
        )

    async def _second(self, stage: str, said: Said, request: ReviewRequest) -> Said:
        seats = self.seats.by_name
        answers = {name: it for name, it in said.verdicts.items() if it.vote != "abstained"}
        found = standing(answers, seats)
        opinions: Sequence[Opinion] = tuple(opinion(seats[name], it) for name, it in said.verdicts.items())
        late = self.now() + self.deadline
        about = {**request.model_dump(), "deadline": late, "standing": found, "opinions": opinions}
        if stage == "synthesis":
            (word,) = _paid([await self._ask(self.seats.senior, SynthesisRequested.model_validate(about))])
            assert isinstance(word, SynthesisGiven)
            return Said(said.verdicts, counted(word.synthesis, found))
        asked = VoteRequested.model_validate({**about, "synthesis": said.synthesis or Synthesis()})
        given = _paid(await asyncio.gather(*(self._ask(name, asked) for name in self.seats.juniors)))
        votes = {
            name: SecondVote(vote=word.vote, notes=word.notes)
            for name, word in zip(self.seats.juniors, given, strict=True)
            if isinstance(word, VoteGiven)
        }
        return Said(said.verdicts, said.synthesis, votes)

    async def _ask(self, name: str, request: ReviewRequest) -> ReviewWord:
        task = request.spec.key.rpartition("/")[2]
        envelope = Draft(name, request, task, 1).stamp(id=new_id(), run=RUN, sender="manager", now=self.now())
        outcome = await self.reviewers[name].handle(Asked(envelope))
        return next(draft.body for draft in outcome.messages if isinstance(draft.body, ReviewWord))

    def _request(self, case: Case, at: Commits) -> ReviewRequested:
        return ReviewRequested(
            review=f"{case.id}.1.1",
            spec=case.spec,
            agent=DRIVER,
            base=at.base,
            commit=at.commit,
            requirements_hash=case.spec.digest,
            requirements=requirements_of(case.spec),
            deadline=self.now() + self.deadline,
        )


def _verdict(word: ReviewWord) -> Verdict:
    assert isinstance(word, VerdictGiven)
    return Verdict(vote=word.vote, findings=word.findings, notes=word.notes)


def _paid(words: Sequence[ReviewWord]) -> Sequence[ReviewWord]:
    """
    Raises:
        NotNow: One of them could not be had.
    """
    if parked := next((word for word in words if word.parked), None):
        until = f"; it may again at {parked.until:%Y-%m-%d %H:%M:%SZ}" if parked.until else ""
        raise NotNow(f"{parked.notes}{until}")
    return words
