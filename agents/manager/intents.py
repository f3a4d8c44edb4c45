"""From a green stack to a landing: the intent before the ref moves, and what follows once it has."""

from __future__ import annotations

from callboard.agents.manager import closing, leaving, merge_queue, stacking
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.verdicts import verdict_field
from callboard.bus.board import IntentDoc, QueueDoc, TaskDoc
from callboard.bus.messages import LandFinished, MergeLanded


def intend(decision: Decision, queue: QueueDoc) -> None:
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
    left = [leaving.left(decision, decision.board.task(id), "landed", intent.new) for id in intent.tasks]
    leaving.put(decision, merge_queue.without(decision.board.queue, set(intent.tasks), left))


def _landed(decision: Decision, intent: IntentDoc, task: TaskDoc) -> None:
    task = decision.put_task(task, landed=intent.new, intent="")
    decision.send(task.agent, MergeLanded(commit=intent.new, tree=intent.tree, ref=intent.ref), task)
    facts = [f"commit `{intent.new[:12]}` on `{decision.board.run.integration}`", f"tree `{intent.tree[:12]}` is green"]
    others = [id for id in intent.tasks if id != task.id]
    facts += [f"together with {', '.join(others)}"] if others else []
    decision.log("merge", "landed", facts, task=task)
    closing.done(decision, task, reason=f"landed as {intent.new[:12]}", is_told=True)
