"""From evidence to approved: intake and gate by the hands, then the reviewers. A claim is never believed."""

from __future__ import annotations

from callboard.agents.manager import approvals, closing, gate_runs, issues, parking, requests, seats, setbacks, tracks
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.verdicts import ended, verdict_field
from callboard.agents.reviewer import consensus
from callboard.bus.board import GateDoc, TaskDoc, TaskState, Verdict
from callboard.bus.messages import (
    JOURNAL,
    EvidenceSubmitted,
    GateFinished,
    MessageRefused,
    VerdictGiven,
)
from callboard.feedback.facts import command_fact, finding_fact


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
    gate_runs.ran(decision, task)
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


def verdict_given(decision: Decision, body: VerdictGiven) -> None:
    task = decision.board.task(decision.cause.task)
    name = decision.cause.sender
    why_not = _not_counted(task, name, body)
    if why_not:
        refused = MessageRefused(
            refused=decision.cause.id, refused_kind=decision.cause.kind, refused_sender=name, reason=why_not
        )
        decision.send(JOURNAL, refused)
        return
    if body.parked:
        parking.review_parked(decision, task, name, body)
        return
    verdict = Verdict(vote=body.vote, findings=body.findings, notes=body.notes)
    task = decision.put_task(task, verdicts={**task.verdicts, name: verdict})
    _judge(decision, task, deadline_passed=False)


def review_deadline(decision: Decision, task: TaskDoc, review: str) -> None:
    """Nobody is late while the review waits for a reviewer that cannot think."""
    if task.state is TaskState.REVIEW and task.review == review and not task.reason:
        _judge(decision, task, deadline_passed=True)


def _not_counted(task: TaskDoc, sender: str, body: VerdictGiven) -> str:
    """Why a verdict is not one on the open review; "" when it is."""
    if task.state is not TaskState.REVIEW or body.review != task.review:
        return f"review {body.review} is not open"
    if (body.commit or "") != task.review_commit or body.requirements_hash != task.task.digest:
        return "it judges another commit or other requirements"
    if sender not in task.reviewers:
        return f"{sender} was not asked for this review"
    return f"{sender} has answered already" if sender in task.verdicts else ""


def _judge(decision: Decision, task: TaskDoc, *, deadline_passed: bool) -> None:
    match consensus.judge(task.verdicts, task.reviewers, deadline_passed):
        case consensus.Waiting():
            return
        case consensus.Approved():
            _log_review(decision, task, "approved")
            issues.accepted_with(decision, task, consensus.standing(task.verdicts))
            _approved(decision, task)
        case consensus.Rejected(findings=findings, summary=summary):
            _log_review(decision, task, f"sent back: {summary}")
            decision.put_run(review_rejections=decision.board.run.review_rejections + 1)
            setbacks.send_back(decision, task, "review", summary, findings)
        case consensus.NoQuorum(missing=missing, summary=summary):
            _no_quorum(decision, task, missing, summary)


def _approved(decision: Decision, task: TaskDoc) -> None:
    if task.head:
        decision.put_task(task, state=TaskState.APPROVED, unanswered=0)
    else:
        closing.done(decision, task, reason="accepted on evidence; it changed no code")


def _no_quorum(decision: Decision, task: TaskDoc, missing: tuple[str, ...], summary: str) -> None:
    names = ", ".join(missing)
    decision.log("review", f"no quorum: no verdict from {names}", text=summary, task=task)
    task = decision.put_task(task, unanswered=task.unanswered + 1)
    if task.unanswered < decision.policy.review_rounds:
        requests.ask_reviewers(decision, task, task.review_commit)
        return
    task = decision.put_task(task, unanswered=0)
    what = f"no verdict from {names}, however often they were asked"
    setbacks.block(decision, task, what=what, needs="reviewers that answer; then answer `again`", cause="review")


def _log_review(decision: Decision, task: TaskDoc, title: str) -> None:
    facts = [f"{name}: {verdict.vote}" for name, verdict in sorted(task.verdicts.items())]
    found = [finding_fact(finding) for verdict in task.verdicts.values() for finding in verdict.findings]
    decision.log("review", title, [*facts, *found], task=task)


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
