"""What a reviewer sends for what it was asked, and what it writes into its log. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypedDict

from callboard.agents.manager.decision import MANAGER
from callboard.bus.caps import Reached
from callboard.bus.messages import (
    JOURNAL,
    Draft,
    FeedbackLogged,
    Outcome,
    ParkCause,
    ReviewRequest,
    ReviewWord,
    SynthesisGiven,
    VerdictGiven,
    VoteGiven,
)
from callboard.bus.reviews import SecondVote, Synthesis, Verdict
from callboard.feedback.facts import finding_fact, synthesis_facts

Word = Verdict | Synthesis | SecondVote
CALLED = {"": "verdict", "synthesis": "synthesis", "vote": "vote"}
"""Stage of a review -> what is asked for in it."""


class _About(TypedDict):
    review: str
    commit: str | None
    requirements_hash: str
    notes: str
    parked: ParkCause | None
    until: datetime | None
    reached: Reached | None


def given(
    agent: str,
    request: ReviewRequest,
    word: Word,
    *,
    parked: ParkCause | None = None,
    until: datetime | None = None,
    reached: Reached | None = None,
) -> Outcome:
    """The answer to the manager, and the entry of the reviewer's own log."""
    about = _About(
        review=request.review,
        commit=request.commit,
        requirements_hash=request.requirements_hash,
        notes=_notes(word),
        parked=parked,
        until=until,
        reached=reached,
    )
    entry = FeedbackLogged(
        log=agent, entry="review", title=request.spec.title, facts=tuple(_facts(request, word)), text=_notes(word)
    )
    return Outcome((Draft(MANAGER, _body(word, about)), Draft(JOURNAL, entry)))


def _body(word: Word, about: _About) -> ReviewWord:
    match word:
        case Verdict():
            return VerdictGiven(vote=word.vote, findings=word.findings, **about)
        case Synthesis():
            return SynthesisGiven(synthesis=word, **about)
        case SecondVote():
            return VoteGiven(vote=word.vote, **about)


def _notes(word: Word) -> str:
    return (word.abstained or word.summary) if isinstance(word, Synthesis) else word.notes


def _facts(request: ReviewRequest, word: Word) -> Iterator[str]:
    subject = f"commit `{request.commit[:7]}`" if request.commit else "evidence without code"
    of = f"{subject} of {request.agent}, review {request.review}"
    match word:
        case Verdict():
            yield f"{word.vote}: {of}"
            yield from map(finding_fact, word.findings)
        case Synthesis():
            yield f"{'abstained' if word.abstained else 'synthesis'}: {of}"
            yield from synthesis_facts(word)
        case SecondVote():
            yield f"{word.vote} in the second round: {of}"
