"""What came of a stack that was asked for: what is on it, what waits behind it, and what cannot be in it."""

from __future__ import annotations

from callboard.agents.manager import closing, leaving, merge_queue, requests, stacking
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.verdicts import gate_hash, stack_spec
from callboard.bus.board import TaskDoc
from callboard.bus.hand_messages import Merged
from callboard.bus.merges import Branch, Left
from callboard.bus.messages import MergePrepared


def merge_prepared(decision: Decision, body: MergePrepared) -> None:
    queue = decision.board.queue
    if queue.asked != "stack" or body.stack != queue.stack:
        return
    if body.outcome == "moved":
        leaving.give_up(decision, body.reason)
        closing.pause(decision, "integration_moved", body.reason)
        return
    rows = {row.task: row for row in body.branches}
    left = [
        _out(decision, row, body.old) for row in body.branches if row.outcome in ("contained", "conflict", "review")
    ]
    waiting = {
        row.task: f"touches {stacking.listed(row.paths)} as {row.other} before it does"
        for row in body.branches
        if row.outcome == "waits"
    }
    on_stack = _with_hashes(decision, [branch for branch in queue.branches if _is_stacked(rows, branch)], rows)
    leaving.put(decision, merge_queue.stacked(queue, on_stack, waiting, left, old=body.old, landing=body.landing))


def _is_stacked(rows: dict[str, Merged], branch: Branch) -> bool:
    return branch.task in rows and rows[branch.task].outcome == "stacked"


def _with_hashes(decision: Decision, branches: list[Branch], rows: dict[str, Merged]) -> dict[str, Branch]:
    """Each with its merge, and with what the gate runs on the stack up to it."""
    specs = [decision.board.task(branch.task).task for branch in branches]
    return {
        branch.task: branch.model_copy(
            update={
                "merge": rows[branch.task].merge,
                "tree": rows[branch.task].tree,
                "gate_hash": gate_hash(decision.policy, stack_spec(specs[: n + 1])),
                "waits": "",
            }
        )
        for n, branch in enumerate(branches)
    }


def _out(decision: Decision, row: Merged, head: str) -> Left:
    """A branch that cannot be stacked."""
    task = decision.board.task(row.task)
    if row.outcome == "contained":
        reason = "its changes are in the integration branch already"
        closing.done(decision, task, reason=reason)
        return leaving.left(decision, task, "contained", reason)
    if row.outcome == "review":
        others = [
            one for one in stacking.landed_since(decision.board, task.reviewed_base) if {*one.files} & {*row.paths}
        ]
        facts = [stacking.listed(row.paths), *([f"landed since: {stacking.named(others)}"] if others else [])]
        decision.log("review", "reviewed again: a landing touched the same files", facts, task=task)
        requests.ask_reviewers(decision, task, row.merge, reviewed_base=head)
        return leaving.left(decision, task, "review", f"a landing touched {stacking.listed(row.paths)} too")
    return _conflict(decision, task, row, head)


def _conflict(decision: Decision, task: TaskDoc, row: Merged, head: str) -> Left:
    others = [
        other
        for other in decision.board.tasks()
        if other.landed and other.id != task.id and {*other.files} & {*row.paths}
    ]
    against = f" with {stacking.named(others)}" if others else ""
    summary = (
        f"it collides{against} in {stacking.listed(row.paths)}; "
        f"do it again on top of {head[:12]}, your earlier work is {task.head}"
    )
    decision.log("merge", "collides with what has landed", [summary], text=row.hunks, task=task)
    leaving.send_back(decision, task, summary, row.hunks)
    return leaving.left(decision, task, "conflict", summary)
