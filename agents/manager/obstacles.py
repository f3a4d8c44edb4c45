"""What stands in the way of a task before anybody began on it: its Status, its owner, dependencies that cannot be met.

Such a task is blocked, so that people see it and why. It goes on when a person answers, or when the cause is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from callboard.agents.manager import dispatch, setbacks
from callboard.agents.manager.decision import Decision, is_untouched, newest
from callboard.bus.board import ENDED, AgentDoc, BlockerDoc, Board, TaskDoc, TaskState


@dataclass(frozen=True, slots=True)
class Obstacle:
    what: str
    needs: str
    waives: tuple[str, ...]
    """What an answer makes the task go on without."""


def settle(decision: Decision) -> None:
    """Block what has an obstacle and let go what has none any more."""
    known = newest(decision.board)
    for task in decision.board.tasks():
        if is_untouched(task):
            _settle(decision, task, find(decision.board, known, task))


def _settle(decision: Decision, task: TaskDoc, found: Obstacle | None) -> None:
    if task.state is TaskState.BLOCKED:
        blocker = decision.board.get(f"blocker:{task.blocker}", BlockerDoc)
        if (found and found.what == blocker.what) or blocker.cause == "stuck":
            return  # stuck: a deployment met before what the task is to mend, and somebody is asked first
        task = _lift(decision, task)
    if found:
        setbacks.block(decision, task, what=found.what, needs=found.needs, cause="import")


def _lift(decision: Decision, task: TaskDoc) -> TaskDoc:
    setbacks.close_questions(decision, task, "what blocked it is gone")
    decision.log("resolved", task.blocker, ["what blocked it is gone"], task=task)
    return decision.put_task(task, state=TaskState.QUEUED, blocker="", question="")


def find(board: Board, known: Mapping[str, TaskDoc], task: TaskDoc) -> Obstacle | None:
    """Everything that stands in its way and that no person has waived.

    Args:
        known: The newest task of each key.
    """
    found = [part for part in (_status(task), _owner(board, task), _dependencies(known, task)) if part]
    if not found:
        return None
    needs = "; ".join(dict.fromkeys(part.needs for part in found))
    waives = tuple(key for part in found for key in part.waives)
    return Obstacle("; ".join(part.what for part in found), needs, waives)


def _status(task: TaskDoc) -> Obstacle | None:
    status = task.task.blocked_by
    if not status or status in task.waived:
        return None
    return Obstacle(status, "a person who says that it can go on", (status,))


def _owner(board: Board, task: TaskDoc) -> Obstacle | None:
    name = task.task.agent
    role = board.get(f"agent:{name}", AgentDoc).role
    if role in ("", *dispatch.WORKERS) or name in task.waived:
        return None
    what = f"it is a task for {name}, a {role}, and only drivers take tasks"
    return Obstacle(what, "a place in a driver's direction file, or an answer: then any driver takes it", (name,))


def _dependencies(known: Mapping[str, TaskDoc], task: TaskDoc) -> Obstacle | None:
    keys = [key for key in task.task.depends_on if key not in task.waived]
    unknown = [key for key in keys if key not in known]
    circular = [key for key in keys if key in known and _reaches(known, key, task.task.key)]
    if not unknown and not circular:
        return None
    parts = []
    if unknown:
        parts.append(f"it depends on {', '.join(unknown)}, which no task has as its key")
    if circular:
        parts.append(f"it depends on {', '.join(circular)}, which depends on it in turn")
    needs = "the dependency mended in the direction file, or an answer: then it goes on without"
    return Obstacle("; ".join(parts), needs, (*unknown, *circular))


def _reaches(known: Mapping[str, TaskDoc], start: str, goal: str) -> bool:
    """Whether waiting for `start` means waiting for `goal`."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        key = waiting.pop()
        if key == goal:
            return True
        task = known.get(key)
        if key in seen or task is None or task.state in ENDED or dispatch.was_done(task):
            continue
        seen.add(key)
        waiting += [other for other in task.task.depends_on if other not in task.waived]
    return False
