"""What the desk asks of its hands and of the reviewers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from callboard.agents.deployment.notes import is_notes
from callboard.agents.manager import seats, second_round, setbacks, stacking
from callboard.agents.manager.decision import Decision
from callboard.bus.board import BriefingDoc, IntentDoc, ReviewDoc, TaskDoc, TaskState, Verdict
from callboard.bus.messages import GateRequested, ReviewRequested, TimerFired


def ask_gate(decision: Decision, task: TaskDoc) -> None:
    body = GateRequested(
        purpose="evidence",
        spec=task.task,
        agent=task.agent,
        base=task.base,
        commit=task.head or None,
        permits=task.permits,
        tools=demanded_tools(decision, task),
    )
    decision.send("gate", body, task)


def demanded_tools(decision: Decision, task: TaskDoc) -> tuple[str, ...]:
    """What its own fields demand, and the rules of the file that it stands in; of notes that the manager made, nothing."""
    if is_notes(task.task):
        return ()
    briefing = decision.board.get(f"briefing:{task.task.agent}", BriefingDoc).briefing
    rules = briefing.tools if briefing is not None else ()
    return tuple(dict.fromkeys((*task.task.tools, *rules)))


def ask_reviewers(
    decision: Decision,
    task: TaskDoc,
    commit: str,
    reviewed_base: str = "",
    verdicts: Mapping[str, Verdict] | None = None,
    second: ReviewDoc | None = None,
) -> None:
    """Ask all three, blind and in parallel. A review is bound to the commit and to what was asked for.

    Args:
        commit: What is judged; "" when the task changed nothing.
        reviewed_base: What it is judged against, where that is not what its last review saw.
        verdicts: What some have said about the same already; they are not asked again.
        second: The second round as it stood, where it goes on under a new id.
    """
    heard = dict(verdicts or {})
    task = decision.put_task(task, review_commit=commit, reviewed_base=reviewed_base or task.reviewed_base)
    reviewers = seats.reviewers(decision.board)
    if len(reviewers) != (needed := seats.needed(decision.board)):
        what = f"the roster has {len(reviewers)} reviewers, and a review needs {needed}"
        setbacks.not_judged(decision, task, what, "three reviewers in callboard.toml")
        return
    rounds = task.review_rounds + 1
    task = decision.put_task(
        task,
        state=TaskState.REVIEW,
        review=f"{task.id}.{task.attempt}.{rounds}",
        review_rounds=rounds,
        reviewers=reviewers,
        verdicts=heard,
        reason="",
    )
    if second is not None:
        decision.put(
            second_round.review_field(task.review), second.model_copy(update={"id": task.review, "version": 0})
        )
        second_round.ask(decision, task, second_round.current(decision, task))
        return
    body = ReviewRequested.model_validate(second_round.request(decision, task).model_dump())
    for name in reviewers:
        if name not in heard:
            decision.send(name, body, task)
    decision.after(decision.policy.review_deadline, TimerFired(about="review", subject=task.review), task)


def without(review: ReviewDoc, missing: Sequence[str]) -> ReviewDoc:
    """An open second round without the words of some, so that they are asked again."""
    votes = {name: vote for name, vote in review.votes.items() if name not in missing}
    made = None if review.stage == "synthesis" else review.synthesis
    return review.model_copy(update={"votes": votes, "synthesis": made})


def ask_parked_reviews(decision: Decision, reviewer: str = "") -> None:
    """Ask again, in reviews that wait for somebody who could not think, whoever has not answered.

    Args:
        reviewer: Only reviews that wait for an answer of this one.
    """
    for task in decision.board.tasks():
        waits = task.state is TaskState.REVIEW and bool(task.reason)
        if waits and (not reviewer or reviewer in task.awaited):
            open_ = second_round.current(decision, task)
            second = open_ if open_.version and open_.stage != "closed" else None
            ask_reviewers(decision, task, task.review_commit, verdicts=task.verdicts, second=second)


def renew_reviews(decision: Decision) -> None:
    """A changed reviewer voids open reviews."""
    reviewers = seats.reviewers(decision.board)
    seated = {seat: name for name, seat in seats.trio(decision.board).by_name.items()}
    for task in decision.board.tasks():
        if task.state is not TaskState.REVIEW:
            continue
        open_ = second_round.current(decision, task)
        if task.reviewers != reviewers or (open_.version and open_.seats != seated):
            ask_reviewers(decision, task, task.review_commit)


def ask_again(decision: Decision) -> None:
    """After a pause what could not be finished is tried again: open landings, gates that could not run, and reviews
    that nobody could think about."""
    for intent in decision.board.all(IntentDoc):
        if intent.state == "open":
            stacking.send_intent(decision, intent)
    for task in decision.board.tasks():
        if task.state is TaskState.GATE and task.reason:
            ask_gate(decision, decision.put_task(task, reason=""))
    ask_parked_reviews(decision)


def forget_base(decision: Decision, task: TaskDoc) -> None:
    """What collides with the integration head is done again on top of it; the earlier work stays pinned."""
    decision.put_task(task, pin="", base="")
