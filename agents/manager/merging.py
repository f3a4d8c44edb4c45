"""From approved to landed: the merge queue on the desk. Which step comes next is decided in merge_queue.py."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from callboard.agents.manager import closing, gate_runs, issues, merge_queue, requests, setbacks, stacking
from callboard.agents.manager.decision import Decision, hands_out
from callboard.agents.manager.merge_queue import Evict, Land, RunGate, Stack, Wait
from callboard.agents.manager.verdicts import ended, gate_hash, stack_spec, verdict_field, verdict_of
from callboard.bus.board import Board, GateDoc, IntentDoc, QueueDoc, TaskDoc, TaskState
from callboard.bus.hand_messages import Merged
from callboard.bus.merges import Branch, Left, QueueRun
from callboard.bus.messages import GateFinished, GateRequested, LandFinished, MergeLanded, MergePrepared
from callboard.feedback.facts import command_fact


def settle(decision: Decision) -> None:
    """Do what the queue needs, until it waits for an answer. While a landing is open, or the run is paused, nothing."""
    _forget_strays(decision)
    while hands_out(decision.board.run) and not is_landing(decision.board):
        if not decision.board.queue.branches and not _begin(decision):
            return
        queue = decision.board.queue
        match merge_queue.next_action(queue, partial(verdict_of, decision.board)):
            case Wait():
                return
            case Stack(count=count):
                queue = _put(decision, merge_queue.stacking(queue))
                stacking.ask_stack(decision, queue, count)
            case RunGate(depth=depth):
                _test(decision, queue, depth)
            case Land():
                _intend(decision, queue)
            case Evict(green=green):
                _evict(decision, queue, green)


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
        _put(decision, merge_queue.begun(decision.board.queue, branches, decision.now))
    return bool(branches)


def _forget_strays(decision: Decision) -> None:
    """Who was cancelled or has failed leaves the queue; who is in none is approved, as on boards from before it."""
    queue, board = decision.board.queue, decision.board
    gone = [branch.task for branch in queue.branches if not _is_in_hand(board.task(branch.task), branch)]
    if gone:
        left = [_left(decision, board.task(id), "withdrawn", board.task(id).reason) for id in gone]
        queue = _put(decision, merge_queue.without(queue, gone, left))
    known = {branch.task for branch in queue.branches}
    for task in board.tasks():
        if task.state is TaskState.MERGING and not task.intent and task.id not in known:
            decision.put_task(task, state=TaskState.APPROVED)


def _is_in_hand(task: TaskDoc, branch: Branch) -> bool:
    return task.state is TaskState.MERGING and (task.attempt, task.head) == (branch.attempt, branch.commit)


# --- stacking --------------------------------------------------------------------------------------


def merge_prepared(decision: Decision, body: MergePrepared) -> None:
    queue = decision.board.queue
    if queue.asked != "stack" or body.stack != queue.stack:
        return
    if body.outcome == "moved":
        _give_up(decision, body.reason)
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
    _put(decision, merge_queue.stacked(queue, on_stack, waiting, left, old=body.old, landing=body.landing))


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
        return _left(decision, task, "contained", reason)
    if row.outcome == "review":
        others = [
            one for one in stacking.landed_since(decision.board, task.reviewed_base) if {*one.files} & {*row.paths}
        ]
        facts = [stacking.listed(row.paths), *([f"landed since: {stacking.named(others)}"] if others else [])]
        decision.log("review", "reviewed again: a landing touched the same files", facts, task=task)
        requests.ask_reviewers(decision, task, row.merge, reviewed_base=head)
        return _left(decision, task, "review", f"a landing touched {stacking.listed(row.paths)} too")
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
    _send_back(decision, task, summary, row.hunks)
    return _left(decision, task, "conflict", summary)


def _send_back(decision: Decision, task: TaskDoc, summary: str, detail: str) -> None:
    requests.forget_base(decision, task)
    setbacks.send_back(decision, decision.board.task(task.id), "landing", summary, detail=detail)


def _give_up(decision: Decision, why: str) -> None:
    """The drain cannot go on now; its branches wait for the next one, and what is known of their trees stays known."""
    queue = decision.board.queue
    left = [_left(decision, decision.board.task(branch.task), "requeued", why) for branch in queue.branches]
    for branch in queue.branches:
        decision.put_task(decision.board.task(branch.task), state=TaskState.APPROVED, reason=why)
    _put(decision, merge_queue.without(queue, {branch.task for branch in queue.branches}, left))


# --- testing ---------------------------------------------------------------------------------------


def _test(decision: Decision, queue: QueueDoc, depth: int) -> None:
    branches = queue.stacked[:depth]
    top, task = branches[-1], decision.board.task(branches[-1].task)
    spec = stack_spec([decision.board.task(branch.task).task for branch in branches])
    body = GateRequested(purpose="merge", spec=spec, agent=task.agent, base=queue.old, commit=top.merge)
    decision.send("gate", body, task)
    _put(decision, merge_queue.testing(queue, top.merge))


def gate_finished(decision: Decision, body: GateFinished) -> None:
    """A verdict holds for its tree whoever waits for it; only one that is waited for moves the queue on."""
    queue = decision.board.queue
    is_awaited = bool(body.commit) and queue.asked == body.commit
    if body.verdict in ("green", "red"):
        verdict = GateDoc(
            tree=body.tree, gate_hash=body.gate_hash, verdict=body.verdict, flaky=body.flaky, at=decision.now
        )
        decision.put(verdict_field(body.tree, body.gate_hash), verdict)
    if not is_awaited:
        return
    depth = next(n for n, branch in enumerate(queue.stacked, 1) if branch.merge == body.commit)
    run = _run(decision, queue, body, depth)
    _log_run(decision, run, body)
    top = decision.board.task(run.tasks[-1])
    issues.flaked(decision, top, [result for result in body.commands if result.flaky])
    if body.verdict in ("green", "red"):
        gate_runs.ran(decision, map(decision.board.task, run.tasks))
    if body.verdict == "red":
        decision.put_run(gate_failures=decision.board.run.gate_failures + 1)
    _put(decision, merge_queue.answered(queue, run))
    if run.verdict == "infrastructure":
        detail = f"the gate could not run for {', '.join(run.tasks)}: {body.reason}"
        _give_up(decision, detail)
        closing.pause(decision, "environment", detail)


def _run(decision: Decision, queue: QueueDoc, body: GateFinished, depth: int) -> QueueRun:
    failed = [result for result in body.commands if not result.passed]
    top = queue.branches[depth - 1]
    return QueueRun(
        drain=queue.drain,
        tasks=tuple(branch.task for branch in queue.branches[:depth]),
        tree=body.tree or top.tree,
        gate_hash=body.gate_hash or top.gate_hash,
        verdict=body.verdict if body.verdict in ("green", "red") else "infrastructure",
        flaky=body.flaky,
        said="; ".join(ended(result) for result in failed) or body.reason,
        tail="\n".join(result.tail for result in failed),
        at=decision.now,
    )


def _log_run(decision: Decision, run: QueueRun, body: GateFinished) -> None:
    flake = ["it failed first and passed on the same tree: recorded as a flake"] if run.flaky else []
    facts = [f"tree `{run.tree[:12]}`", *map(command_fact, body.commands), *flake]
    decision.log("merge", f"stack of {', '.join(run.tasks)}: gate {run.verdict}", facts, text=run.tail)


def _evict(decision: Decision, queue: QueueDoc, green: int) -> None:
    """One branch makes the stack red; it goes back to its driver with what it met there."""
    branch, task = queue.branches[green], decision.board.task(queue.branches[green].task)
    tested = [run for run in queue.runs if (run.tree, run.gate_hash) == (branch.tree, branch.gate_hash)]
    said = tested[-1].said if tested else f"the tree {branch.tree[:12]} is known to be red"
    below = [decision.board.task(one.task) for one in queue.branches[:green]]
    landed = stacking.landed_since(decision.board, task.base)
    met = [
        *([f"what lands before it: {stacking.named(below)}"] if below else []),
        *([f"what landed meanwhile: {stacking.named(landed)}"] if landed else []),
    ]
    where = f"on top of {queue.old[:12]}" + (f" and {'; and '.join(met)}" if met else "")
    summary = f"{said} with its changes ({stacking.listed(task.files)}) {where}; without them it is green"
    decision.log("merge", "evicted from the merge queue", [summary], task=task)
    _put(decision, merge_queue.cut(queue, green, _left(decision, task, "evicted", summary)))
    _send_back(decision, task, summary, tested[-1].tail if tested else "")


# --- landing ---------------------------------------------------------------------------------------


def _intend(decision: Decision, queue: QueueDoc) -> None:
    """Write down what will happen before it does. From here on it is only ever finished."""
    run, top = decision.board.run, queue.stacked[-1]
    intent = IntentDoc(
        id=f"I-{run.next_intent}",
        tasks=tuple(branch.task for branch in queue.stacked),
        merges=tuple(branch.merge for branch in queue.stacked),
        ref=f"refs/heads/{run.integration}",
        old=queue.old,
        new=queue.landing,
        tree=top.tree,
        verdict=verdict_field(top.tree, top.gate_hash),
        at=decision.now,
    )
    decision.put_run(next_intent=run.next_intent + 1)
    decision.put(f"intent:{intent.id}", intent)
    for id in intent.tasks:
        decision.put_task(decision.board.task(id), intent=intent.id)
    stacking.send_intent(decision, intent)


def land_finished(decision: Decision, body: LandFinished) -> None:
    intent = decision.board.get(f"intent:{body.intent}", IntentDoc)
    if intent.state != "open" or not intent.id:
        return
    if body.outcome != "landed":
        closing.pause(decision, "integration_moved" if body.outcome == "moved" else "operator", body.reason)
        return
    decision.put(f"intent:{intent.id}", intent.model_copy(update={"state": "finished"}))
    decision.put_run(head=intent.new)
    for id in intent.tasks:
        _landed(decision, intent, decision.board.task(id))
    left = [_left(decision, decision.board.task(id), "landed", intent.new) for id in intent.tasks]
    _put(decision, merge_queue.without(decision.board.queue, set(intent.tasks), left))


def _landed(decision: Decision, intent: IntentDoc, task: TaskDoc) -> None:
    task = decision.put_task(task, landed=intent.new, intent="")
    decision.send(task.agent, MergeLanded(commit=intent.new, tree=intent.tree, ref=intent.ref), task)
    facts = [f"commit `{intent.new[:12]}` on `{decision.board.run.integration}`", f"tree `{intent.tree[:12]}` is green"]
    others = [id for id in intent.tasks if id != task.id]
    facts += [f"together with {', '.join(others)}"] if others else []
    decision.log("merge", "landed", facts, task=task)
    closing.done(decision, task, reason=f"landed as {intent.new[:12]}", is_told=True)


def _put(decision: Decision, queue: QueueDoc) -> QueueDoc:
    decision.put("queue", queue)
    return decision.board.queue


def _left(decision: Decision, task: TaskDoc, how: str, why: str) -> Left:
    return Left.model_validate(
        {"drain": decision.board.queue.drain, "task": task.id, "how": how, "why": why, "at": decision.now}
    )
