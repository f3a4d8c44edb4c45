"""From approved to landed, one task at a time: merge, gate the merged tree if it is a new one, intent, move the ref."""

from __future__ import annotations

from callboard.agents.manager import closing, dispatch, requests, setbacks
from callboard.agents.manager.decision import Decision, hands_out
from callboard.agents.manager.verdicts import gate_hash, verdict_field, verdict_of
from callboard.bus.board import IntentDoc, TaskDoc, TaskState
from callboard.bus.messages import (
    GateRequested,
    LandFinished,
    MergeLanded,
    MergePrepared,
)


def start_next(decision: Decision) -> None:
    """The head of the integration branch only moves by a landing, so one at a time needs no other lock."""
    if not hands_out(decision.board.run):
        return
    tasks = decision.board.tasks()
    if any(task.state is TaskState.MERGING for task in tasks):
        return
    approved = [task for task in tasks if task.state is TaskState.APPROVED]
    first = min(approved, key=lambda task: dispatch.rank(decision, task), default=None)
    if first is not None:
        requests.ask_merge(
            decision, decision.put_task(first, state=TaskState.MERGING, merging_at=first.merging_at or decision.now)
        )


def merge_prepared(decision: Decision, body: MergePrepared) -> None:
    task = decision.board.task(decision.cause.task)
    if task.state is not TaskState.MERGING or task.intent or task.attempt != decision.cause.attempt:
        return
    match body.outcome:
        case "contained":
            closing.done(decision, task, reason="its changes are in the integration branch already")
        case "conflict":
            _conflict(decision, task, body)
        case "moved":
            decision.put_task(task, state=TaskState.APPROVED)
            closing.pause(decision, "integration_moved", body.reason)
        case "clean":
            _clean(decision, task, body)


def _clean(decision: Decision, task: TaskDoc, body: MergePrepared) -> None:
    hash = gate_hash(decision.policy, task.task)
    task = decision.put_task(task, candidate=body.new)
    match verdict_of(decision.board, body.tree, hash):
        case "none":
            gate = GateRequested(purpose="merge", spec=task.task, agent=task.agent, base=body.old, commit=body.new)
            decision.send("gate", gate, task)
        case "red":
            requests.forget_base(decision, task)
            summary = f"the merged tree {body.tree[:12]} is known to be red"
            setbacks.send_back(decision, decision.board.task(task.id), "landing", summary)
        case "green" if body.overlap:
            files = ", ".join(f"`{path}`" for path in body.overlap)
            decision.log("review", "reviewed again: a landing touched the same files", [files], task=task)
            requests.ask_reviewers(decision, task, body.new, reviewed_base=body.old)
        case "green":
            _intend(decision, task, body, verdict_field(body.tree, hash))


def _intend(decision: Decision, task: TaskDoc, body: MergePrepared, verdict: str) -> None:
    """Write down what will happen before it does. From here on it is only ever finished."""
    run = decision.board.run
    ref = f"refs/heads/{run.integration}"
    intent = IntentDoc(
        id=f"I-{run.next_intent}",
        task=task.id,
        ref=ref,
        old=body.old,
        new=body.new,
        tree=body.tree,
        verdict=verdict,
        at=decision.now,
    )
    decision.put_run(next_intent=run.next_intent + 1)
    decision.put(f"intent:{intent.id}", intent)
    task = decision.put_task(task, intent=intent.id)
    requests.send_intent(decision, intent, task)


def land_finished(decision: Decision, body: LandFinished) -> None:
    intent = decision.board.get(f"intent:{body.intent}", IntentDoc)
    if intent.state != "open" or not intent.id:
        return
    if body.outcome != "landed":
        closing.pause(decision, "integration_moved" if body.outcome == "moved" else "operator", body.reason)
        return
    decision.put(f"intent:{intent.id}", intent.model_copy(update={"state": "finished"}))
    decision.put_run(head=intent.new)
    task = decision.put_task(decision.board.task(intent.task), landed=intent.new, intent="")
    decision.send(task.agent, MergeLanded(commit=intent.new, tree=intent.tree, ref=intent.ref), task)
    facts = [f"commit `{intent.new[:12]}` on `{decision.board.run.integration}`", f"tree `{intent.tree[:12]}` is green"]
    decision.log("merge", "landed", facts, task=task)
    closing.done(decision, task, reason=f"landed as {intent.new[:12]}", is_told=True)


def _conflict(decision: Decision, task: TaskDoc, body: MergePrepared) -> None:
    files = ", ".join(f"`{path}`" for path in body.conflicts)
    others = [
        f"{other.id} {other.task.title}"
        for other in decision.board.tasks()
        if other.landed and set(other.files) & set(body.conflicts)
    ]
    against = f" with {'; '.join(others)}" if others else ""
    requests.forget_base(decision, task)
    summary = (
        f"it collides{against} in {files}; do it again on top of {body.old[:12]}, your earlier work is {task.head}"
    )
    setbacks.send_back(decision, decision.board.task(task.id), "landing", summary)
