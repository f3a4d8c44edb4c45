"""The merge queue on the desk, from approved to landed: what it needs now is decided in merge_queue.py, and done here.

What its hands answer is judged in stacked.py (is the stack written?), stack_gate.py (is it green?) and intents.py (has it landed?).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from callboard.agents.manager import intents, leaving, merge_queue, stack_gate, stacking
from callboard.agents.manager.decision import Decision, hands_out
from callboard.agents.manager.merge_queue import Evict, Land, RunGate, Stack, Wait
from callboard.agents.manager.verdicts import verdict_of
from callboard.bus.board import Board, IntentDoc, TaskDoc, TaskState
from callboard.bus.merges import Branch


def settle(decision: Decision) -> None:
    """Do what the queue needs, until it waits for an answer. While a landing is open, or the run is paused, nothing."""
    _forget_strays(decision)
    while hands_out(decision.board) and not is_landing(decision.board):
        if not decision.board.queue.branches and not _begin(decision):
            return
        queue = decision.board.queue
        match merge_queue.next_action(queue, partial(verdict_of, decision.board)):
            case Wait():
                return
            case Stack(count=count):
                queue = leaving.put(decision, merge_queue.stacking(queue))
                stacking.ask_stack(decision, queue, count)
            case RunGate(depth=depth):
                stack_gate.test(decision, queue, depth)
            case Land():
                intents.intend(decision, queue)
            case Evict(green=green):
                stack_gate.evict(decision, queue, green)


def is_landing(board: Board) -> bool:
    return any(intent.state == "open" and intent.id for intent in board.all(IntentDoc))


def waiting_since(task: TaskDoc) -> datetime | None:
    """When it was first approved: a drain that was given up does not make it younger."""
    return task.merging_at or task.changed_at


def rank(task: TaskDoc, now: datetime, ageing: timedelta) -> tuple[int, datetime, int]:
    """First come, first served; a more urgent one before, and one priority step for each time it has waited so long."""
    since = waiting_since(task) or now
    aged = task.task.priority - int((now - since) / ageing)
    return aged, since, int(task.id.partition("-")[2])


def _begin(decision: Decision) -> bool:
    """A new drain, of all that is approved; False when there is nothing."""
    approved = [task for task in decision.board.tasks() if task.state is TaskState.APPROVED]
    branches: list[Branch] = []
    for task in sorted(approved, key=lambda task: rank(task, decision.now, decision.policy.ageing)):
        since = waiting_since(task) or decision.now
        decision.put_task(task, state=TaskState.MERGING, merging_at=since)
        branches.append(Branch(task=task.id, attempt=task.attempt, commit=task.head, since=since))
    if branches:
        leaving.put(decision, merge_queue.begun(decision.board.queue, branches, decision.now))
    return bool(branches)


def _forget_strays(decision: Decision) -> None:
    """Who was cancelled or has failed leaves the queue; who is in none is approved, as on boards from before it."""
    queue, board = decision.board.queue, decision.board
    gone = [branch.task for branch in queue.branches if not _is_in_hand(board.task(branch.task), branch)]
    if gone:
        left = [leaving.left(decision, board.task(id), "withdrawn", board.task(id).reason) for id in gone]
        queue = leaving.put(decision, merge_queue.without(queue, gone, left))
    known = {branch.task for branch in queue.branches}
    for task in board.tasks():
        if task.state is TaskState.MERGING and not task.intent and task.id not in known:
            decision.put_task(task, state=TaskState.APPROVED)


def _is_in_hand(task: TaskDoc, branch: Branch) -> bool:
    return task.state is TaskState.MERGING and (task.attempt, task.head) == (branch.attempt, branch.commit)
