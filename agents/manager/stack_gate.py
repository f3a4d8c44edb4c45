"""The gate of a stack: what it is asked, what its verdict says, and which branch a red one puts out of the queue."""

from __future__ import annotations

from callboard.agents.manager import closing, gate_runs, issues, leaving, merge_queue, stacking
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.verdicts import ended, stack_spec, verdict_field
from callboard.bus.board import GateDoc, QueueDoc
from callboard.bus.merges import QueueRun
from callboard.bus.messages import GateFinished, GateRequested
from callboard.feedback.facts import command_fact


def test(decision: Decision, queue: QueueDoc, depth: int) -> None:
    branches = queue.stacked[:depth]
    top, task = branches[-1], decision.board.task(branches[-1].task)
    spec = stack_spec([decision.board.task(branch.task).task for branch in branches])
    body = GateRequested(purpose="merge", spec=spec, agent=task.agent, base=queue.old, commit=top.merge)
    decision.send("gate", body, task)
    leaving.put(decision, merge_queue.testing(queue, top.merge))


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
    leaving.put(decision, merge_queue.answered(queue, run))
    if run.verdict == "infrastructure":
        detail = f"the gate could not run for {', '.join(run.tasks)}: {body.reason}"
        leaving.give_up(decision, detail)
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


def evict(decision: Decision, queue: QueueDoc, green: int) -> None:
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
    leaving.put(decision, merge_queue.cut(queue, green, leaving.left(decision, task, "evicted", summary)))
    leaving.send_back(decision, task, summary, tested[-1].tail if tested else "")
