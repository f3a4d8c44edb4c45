"""What the attempts at a task came to, by digests: whether one hands in or fails as an earlier one did."""

from __future__ import annotations

from callboard.agents.manager.decision import Decision
from callboard.agents.manager.problems import failure_digest
from callboard.bus.board import TaskDoc, TrackDoc

MOST_KEPT = 50
"""Digests of each kind; attempts are capped far below."""


def handed_in(decision: Decision, task: TaskDoc, diff: str) -> bool:
    """Note a change that is to be judged.

    Returns:
        Whether the very same was sent back before.
    """
    track = _of(decision, task)
    if diff or track.handed:
        _put(decision, task, track, handed=diff)
    return bool(diff) and diff in track.diffs


def sent_back(decision: Decision, task: TaskDoc, said: str) -> bool:
    """Note a failure, and the change that failed.

    Returns:
        Whether an earlier attempt failed with the same words.
    """
    track, failure = _of(decision, task), failure_digest([said])
    diffs = dict.fromkeys((*track.diffs, track.handed) if track.handed else track.diffs)
    failures = dict.fromkeys((*track.failures, failure) if failure else track.failures)
    _put(decision, task, track, diffs=tuple(diffs)[-MOST_KEPT:], failures=tuple(failures)[-MOST_KEPT:])
    return failure in track.failures


def forget(decision: Decision, task: TaskDoc) -> None:
    """A person has said how it goes on, and may want the same again."""
    track = _of(decision, task)
    if track.diffs or track.failures:
        _put(decision, task, track, diffs=(), failures=())


def _of(decision: Decision, task: TaskDoc) -> TrackDoc:
    return decision.board.get(f"track:{task.id}", TrackDoc)


def _put(decision: Decision, task: TaskDoc, track: TrackDoc, **values: object) -> None:
    decision.put(f"track:{task.id}", track.model_copy(update={"task": task.id, **values}))
