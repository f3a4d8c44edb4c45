"""The second round of a review: whose turn it is, what they are asked, and what is left of it in a landing's message."""

from __future__ import annotations

from callboard.agents.manager import seats
from callboard.agents.manager.decision import Decision
from callboard.agents.reviewer.requirements import requirements_of
from callboard.agents.reviewer.standing import opinion, standing
from callboard.bus.board import Board, BriefingDoc, ReviewDoc, TaskDoc
from callboard.bus.messages import ReviewRequest, SynthesisRequested, TimerFired, VoteRequested
from callboard.bus.reviews import Opinion, Standing, Synthesis


def review_field(id: str) -> str:
    return f"review:{id}"


def current(decision: Decision, task: TaskDoc) -> ReviewDoc:
    """The task's open or last review; of version 0 before its first round has ended."""
    return decision.board.get(review_field(task.review), ReviewDoc)


def ask(decision: Decision, task: TaskDoc, review: ReviewDoc) -> None:
    """Ask whoever's turn it is, but for those who have answered already."""
    trio = seats.trio(decision.board)
    waiting = (
        (trio.senior,) if review.stage == "synthesis" else tuple(it for it in trio.juniors if it not in review.votes)
    )
    task = decision.put_task(task, asked=waiting)
    found = standing(review.verdicts, trio.by_name)
    said = tuple(opinion(trio.by_name[name], review.verdicts[name]) for name in trio.names if name in review.verdicts)
    for name in waiting:
        decision.send(name, _request(decision, task, review, found, said), task)
    subject = f"{task.review} {review.stage}"
    decision.after(decision.policy.review_deadline, TimerFired(about="review", subject=subject), task)


def _request(
    decision: Decision, task: TaskDoc, review: ReviewDoc, found: tuple[Standing, ...], said: tuple[Opinion, ...]
) -> ReviewRequest:
    about = request(decision, task).model_dump()
    if review.stage == "synthesis":
        return SynthesisRequested.model_validate({**about, "standing": found, "opinions": said})
    made = review.synthesis or Synthesis()
    return VoteRequested.model_validate({**about, "standing": found, "opinions": said, "synthesis": made})


def request(decision: Decision, task: TaskDoc) -> ReviewRequest:
    """What every request of the task's open review holds."""
    briefing = decision.board.get(f"briefing:{task.task.agent}", BriefingDoc).briefing
    return ReviewRequest(
        review=task.review,
        spec=task.task,
        agent=task.agent,
        base=task.reviewed_base,
        commit=task.review_commit or None,
        requirements_hash=task.task.digest,
        requirements=requirements_of(task.task, briefing),
        commands=task.commands,
        notes=task.evidence,
        deadline=decision.now + decision.policy.review_deadline,
    )


def trailers_of(board: Board, task: TaskDoc) -> list[str]:
    """Who stands behind a landing, and who does not."""
    review = board.get(review_field(task.review), ReviewDoc)
    if not review.version:
        approved = [name for name, verdict in sorted(task.verdicts.items()) if verdict.vote == "approved"]
        return [f"Reviewed-by: {name}" for name in approved]
    behind = sorted(set(review.verdicts) - set(review.dissent))
    by_person = ["Accepted-by: person"] if review.outcome == "accepted" else []
    return [
        *(f"Reviewed-by: {name}" for name in behind),
        *(f"Dissent: {name}" for name in review.dissent),
        *by_person,
    ]
