"""Counting what a decision began and ended (bus/tally.py), from the board before and after it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from callboard.bus.board import Board, QueueDoc, TaskDoc, TaskState
from callboard.bus.tally import TallyDoc

FIELD = "tally"
_UNDER_WAY = frozenset(
    {
        TaskState.ASSIGNED,
        TaskState.WORKING,
        TaskState.BLOCKED,
        TaskState.GATE,
        TaskState.REVIEW,
        TaskState.APPROVED,
        TaskState.MERGING,
    }
)
"""In which an attempt that was begun goes on; a blocked one may still be approved by a person."""


def counted(before: Board, after: Board, changed: Iterable[str]) -> TallyDoc:
    """The tally behind a decision; the same document when it counts nothing.

    Args:
        changed: The board fields that the decision has set.
    """
    tally = before.get(FIELD, TallyDoc)
    for name in changed:
        match name.partition(":")[0]:
            case "task":
                tally = _of_task(tally, before.get(name, TaskDoc), after.get(name, TaskDoc))
            case "queue":
                tally = _of_queue(tally, before.queue, after.queue)
    return tally


def _of_task(tally: TallyDoc, was: TaskDoc, now: TaskDoc) -> TallyDoc:
    begun = now.attempt - was.attempt
    goes_on = now.state in _UNDER_WAY and (begun > 0 or now.id in tally.under_way)
    ended = begun + (now.id in tally.under_way) - goes_on
    if not begun and not ended:
        return tally
    is_done = now.rounds > was.rounds or (now.state is TaskState.DONE is not was.state)
    completed = min(ended, int(is_done))
    others = tuple(id for id in tally.under_way if id != now.id)
    return tally.model_copy(
        update={
            "executions_started": tally.executions_started + begun,
            "executions_completed": tally.executions_completed + completed,
            "executions_failed": tally.executions_failed + ended - completed,
            "under_way": (*others, now.id) if goes_on else others,
        }
    )


def _of_queue(tally: TallyDoc, was: QueueDoc, now: QueueDoc) -> TallyDoc:
    """The queue forgets its oldest rows as it gets new ones, which are other objects than those it had."""
    runs, left = {id(one) for one in was.runs}, {id(one) for one in was.left}
    tested = sum(not one.known and id(one) not in runs for one in now.runs)
    evicted = sum(one.how == "evicted" and id(one) not in left for one in now.left)
    if not tested and not evicted:
        return tally
    return tally.model_copy(update={"merge_runs": tally.merge_runs + tested, "evictions": tally.evictions + evicted})
