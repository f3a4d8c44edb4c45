"""From evidence to its review: intake and gate by the hands. A claim is never believed."""

from __future__ import annotations

from callboard.agents.manager import approvals, closing, gate_runs, issues, requests, seats, setbacks, tracks
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.verdicts import ended, verdict_field
from callboard.bus.board import GateDoc, TaskDoc, TaskState
from callboard.bus.messages import EvidenceSubmitted, GateFinished
from callboard.feedback.facts import command_fact


def evidence_submitted(decision: Decision, task: TaskDoc, body: EvidenceSubmitted) -> None:
    seats.let_go(decision, task.agent)
    issues.reported(decision, task, body.issues)
    if tracks.handed_in(decision, task, body.diff):
        setbacks.same_again(decision, task, body.head)
        return
    task = decision.put_task(
        task,
        state=TaskState.GATE,
        head=body.head or "",
        evidence=body.notes,
        commands=body.commands,
        files=body.files,
        review_rounds=0,
        unanswered=0,
        reviewed_base=task.base,
    )
    requests.ask_gate(decision, task)


def gate_finished(decision: Decision, body: GateFinished) -> None:
    task = decision.board.task(decision.cause.task)
    is_current = task.attempt == decision.cause.attempt and (body.commit or "") == task.head
    if task.state is not TaskState.GATE or not is_current:
        return
    if body.verdict == "infrastructure":
        _infrastructure(decision, task, body)
        return
    if body.verdict == "refused":
        setbacks.refuse(decision, task, body.rule, body.path, body.reason)
        return
    if body.verdict == "approval":
        approvals.ask(decision, task, body.permits)
        return
    verdict = GateDoc(tree=body.tree, gate_hash=body.gate_hash, verdict=body.verdict, flaky=body.flaky, at=decision.now)
    decision.put(verdict_field(body.tree, body.gate_hash), verdict)
    facts = [command_fact(result) for result in body.commands]
    flake = ["it failed first and passed on the same tree: recorded as a flake"] if body.flaky else []
    gate_runs.ran(decision, [task])
    issues.flaked(decision, task, [result for result in body.commands if result.flaky])
    issues.linted(decision, task, body.lint, body.files)
    decision.log("evidence", f"gate {body.verdict}", [f"tree `{body.tree[:12]}`", *facts, *flake], task=task)
    if body.verdict == "red":
        _red(decision, task, body)
    else:
        task = decision.put_task(
            task, tree=body.tree, gate_hash=body.gate_hash, files=body.files, commands=body.commands
        )
        requests.ask_reviewers(decision, task, task.head)


def _red(decision: Decision, task: TaskDoc, body: GateFinished) -> None:
    decision.put_run(gate_failures=decision.board.run.gate_failures + 1)
    failed = [result for result in body.commands if not result.passed]
    said = "; ".join(ended(result) for result in failed)
    summary = said or body.reason or "the gate is red"
    detail = "\n".join(result.tail for result in failed)
    setbacks.send_back(decision, task, "gate", summary, detail=detail)


def _infrastructure(decision: Decision, task: TaskDoc, body: GateFinished) -> None:
    """Neither red nor green: the run waits for a person, and the task for `callboard resume`."""
    detail = f"the gate could not run for {task.id}: {body.reason}"
    decision.put_task(task, state=TaskState.GATE, reason=detail)
    closing.pause(decision, "environment", detail)
