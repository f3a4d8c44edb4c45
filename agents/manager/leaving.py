"""How a branch leaves the merge queue: it says so to its driver, and the queue remembers it for people."""

from __future__ import annotations

from callboard.agents.manager import merge_queue, requests, setbacks
from callboard.agents.manager.decision import Decision
from callboard.bus.board import QueueDoc, TaskDoc, TaskState
from callboard.bus.merges import Left


def put(decision: Decision, queue: QueueDoc) -> QueueDoc:
    decision.put("queue", queue)
    return decision.board.queue


def left(decision: Decision, task: TaskDoc, how: str, why: str) -> Left:
    return Left.model_validate(
        {"drain": decision.board.queue.drain, "task": task.id, "how": how, "why": why, "at": decision.now}
    )


def send_back(decision: Decision, task: TaskDoc, summary: str, detail: str) -> None:
    requests.forget_base(decision, task)
    setbacks.send_back(decision, decision.board.task(task.id), "landing", summary, detail=detail)


def give_up(decision: Decision, why: str) -> None:
    """The drain cannot go on now; its branches wait for the next one, and what is known of their trees stays known."""
    queue = decision.board.queue
    rows = [left(decision, decision.board.task(branch.task), "requeued", why) for branch in queue.branches]
    for branch in queue.branches:
        decision.put_task(decision.board.task(branch.task), state=TaskState.APPROVED, reason=why)
    put(decision, merge_queue.without(queue, {branch.task for branch in queue.branches}, rows))
