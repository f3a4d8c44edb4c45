"""Reviews that lead nowhere: a person is asked, and what the answer does."""

from __future__ import annotations

from callboard.agents.manager import requests, second_round, setbacks
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.setbacks import AGAIN
from callboard.agents.reviewer.stops import since_it_passed, why_stop
from callboard.bus.board import Board, ReviewDoc, TaskDoc

ACCEPT = "accept"
"""It and `AGAIN` mean something by themselves; any other answer is told to the driver."""
WAYS = (
    f"Answer `{AGAIN}` to have it reviewed once more, `{ACCEPT}` to let it pass as it is, "
    "or say in your own words what its driver is to do."
)


def reviews_of(board: Board, task: TaskDoc) -> list[ReviewDoc]:
    return [review for review in board.all(ReviewDoc) if review.task == task.id]


def sent_back(board: Board, task: TaskDoc) -> tuple[ReviewDoc, ...]:
    """The reviews in a row that sent it back."""
    return since_it_passed(reviews_of(board, task))


def found(decision: Decision, task: TaskDoc, review: ReviewDoc) -> str:
    """Why a person is asked after this review; "" = nobody is."""
    if review.outcome == "blocked":
        return "the reviewers cannot agree, and nothing is left that its driver could work on"
    return why_stop(sent_back(decision.board, task))


def ask_person(decision: Decision, task: TaskDoc, review: ReviewDoc) -> None:
    what = f"{review.stop}.\n{review.summary}"
    setbacks.block(decision, task, what=what, needs=WAYS, cause="review")


def answered(decision: Decision, task: TaskDoc, text: str) -> bool:
    """A person decided about a review that had stopped, or about one without a quorum.

    Returns:
        True: it is approved now.
    """
    review = second_round.current(decision, task)
    word = text.strip().casefold()
    if not review.stop or word == AGAIN:
        requests.ask_reviewers(decision, task, task.review_commit)
        return False
    if word == ACCEPT:
        against = tuple(sorted(name for name in task.verdicts if _was_against(review, name)))
        accepted = review.model_copy(update={"outcome": "accepted", "dissent": against})
        decision.put(second_round.review_field(review.id), accepted)
        decision.log("review", "accepted by a person", [f"dissent: {', '.join(against) or 'none'}"], task=task)
        return True
    setbacks.send_back_unspent(decision, task, review.summary, [it.finding for it in review.open])
    return False


def _was_against(review: ReviewDoc, name: str) -> bool:
    last = review.votes.get(name) or review.verdicts.get(name)
    return last is not None and last.vote != "approved"
