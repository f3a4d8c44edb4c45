"""What reviewers say in worlds without brains, and what an approved review must look like."""

from __future__ import annotations

from datetime import datetime

from callboard.agents.reviewer.consensus import Concluded, Said, Seats, judge
from callboard.bus.board import Board, QuestionDoc, ReviewDoc, TaskDoc
from callboard.bus.messages import (
    Body,
    ParkCause,
    ReviewRequest,
    SynthesisGiven,
    SynthesisRequested,
    VerdictGiven,
    VoteGiven,
    VoteRequested,
)
from callboard.bus.reviews import Dismissal, Synthesis
from callboard.bus.task import Finding

PARKED: dict[str, ParkCause] = {"limit": "rate_limit", "outage": "provider"}


def word(request: ReviewRequest, vote: str, findings: tuple[Finding, ...], until: datetime) -> Body:
    """An answer to any request.

    Args:
        vote: approved, needs_revision, abstained, limit or outage. A senior that approves dismisses all it may.
    """
    parked = PARKED.get(vote)
    said = "abstained" if parked else vote
    about = {
        "review": request.review,
        "commit": request.commit,
        "requirements_hash": request.requirements_hash,
        "parked": parked,
        "until": until,
    }
    if isinstance(request, SynthesisRequested):
        gone = tuple(Dismissal(finding=it.id, reason="another task") for it in request.standing)
        made = Synthesis(
            abstained="no word" if said == "abstained" else "", dismissed=gone if said == "approved" else ()
        )
        return SynthesisGiven.model_validate({**about, "synthesis": made})
    if isinstance(request, VoteRequested):
        return VoteGiven.model_validate({**about, "vote": said})
    return VerdictGiven.model_validate({**about, "vote": said, "findings": findings})


def must_have_passed(board: Board, task: TaskDoc) -> None:
    """
    Raises:
        AssertionError: The task's last review was no consensus by the rule, on what was handed in, and no person accepted it.
    """
    review = board.get(f"review:{task.review}", ReviewDoc)
    assert review.requirements_hash == task.task.digest
    assert review.commit == task.review_commit
    if review.outcome == "accepted":
        answers = [it.answer for it in board.all(QuestionDoc) if it.task == task.id]
        assert "accept" in answers, f"{task.id} was accepted by nobody"
        return
    seats = Seats(review.seats["senior"], (review.seats["junior-1"], review.seats["junior-2"]))
    ended = judge(Said(review.verdicts, review.synthesis, review.votes), seats, False)
    assert isinstance(ended, Concluded), f"{task.id} landed with an open review"
    assert (ended.outcome, review.outcome) == ("consensus", "consensus"), f"{task.id} landed without a consensus"
