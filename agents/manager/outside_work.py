"""What comes from outside seats: work, verdicts, requests, issues. It passes intake, gate, review and queue like any other."""

from __future__ import annotations

from collections.abc import Mapping

from callboard.agents.manager import issues, judgement, outside, reviewing, setbacks
from callboard.agents.manager.decision import Decision
from callboard.agents.manager.outside_seats import outside_of, phase_of, put_phase
from callboard.bus.board import HELD_BY_AGENT, TaskDoc, TaskState
from callboard.bus.messages import (
    AuditGiven,
    AuditRequested,
    EvidenceSubmitted,
    GateFinished,
    IssueSeen,
    VerdictGiven,
    WorkSubmitted,
)
from callboard.bus.outside import MOST_KEPT, AuditSaid, Claim, PhaseAsked, PhaseDoc, Recommendation
from callboard.bus.outside_messages import Suggested
from callboard.bus.reviews import Verdict, Vote
from callboard.bus.task import Note

PATCH_RULE = "patch"
"""The rule by which a patch is refused that cannot be read, or does not fit the integration branch."""
STARTABLE = frozenset({TaskState.QUEUED, TaskState.CHANGES_REQUESTED, *HELD_BY_AGENT})
Said = WorkSubmitted | AuditRequested | AuditGiven | IssueSeen


def heard(decision: Decision, body: Said) -> None:
    """Whatever an outside seat says; only from the seat that it is for, and only of a phase."""
    task, sender = decision.board.task(decision.cause.task), decision.cause.sender
    run, doc = outside_of(decision.board), phase_of(decision.board, task)
    allowed = (run.auditor,) if run and isinstance(body, AuditGiven) else (run.builder, run.auditor) if run else ()
    if sender not in allowed or (isinstance(body, WorkSubmitted) and run and sender != run.builder):
        outside.reply(decision, False, f"{sender} has no such seat in this run")
    elif doc is None:
        outside.reply(decision, False, f"{decision.cause.task or 'no task'} is no phase of this run")
    else:
        _route(decision, task, doc, body)


def _route(decision: Decision, task: TaskDoc, doc: PhaseDoc, body: Said) -> None:
    match body:
        case WorkSubmitted():
            _work(decision, task, doc, body)
        case AuditRequested():
            asked = body.asked.model_copy(update={"at": decision.now})
            put_phase(decision, doc, audits_asked=(*doc.audits_asked, asked)[-MOST_KEPT:])
            decision.log("review", "an auditor is asked for", [f"focus: {asked.focus or 'none'}"], task=task)
            outside.reply(decision, True, f"the review of {doc.phase.id} waits for the auditor", task)
        case AuditGiven():
            _audit(decision, task, doc, body)
        case IssueSeen():
            key = issues.record(decision, body.report, "outside", task, via=body.source)
            text = f"issue {key} is kept" if key else "too many issues are open; close some first"
            outside.reply(decision, bool(key), text, task)


# --- work ------------------------------------------------------------------------------------------


def _work(decision: Decision, task: TaskDoc, doc: PhaseDoc, body: WorkSubmitted) -> None:
    why = outside.why_no_work(decision, task) if task.state in STARTABLE else f"{doc.phase.id} is {task.state.value}"
    if doc.phase.driver:
        why = f"{doc.phase.driver} of the launched roster does it"
    if why:
        outside.reply(decision, False, f"nothing is taken for {doc.phase.id}: {why}", task)
        return
    claim = body.claim.model_copy(update={"at": decision.now})
    task = outside.take(decision, task, body.base or decision.board.run.head)
    put_phase(decision, doc, claims=(*doc.claims, claim)[-MOST_KEPT:])
    if claim.status == "failed":
        issues.reported(decision, task, body.issues)
        reason = claim.notes or "the builder says that it failed"
        setbacks.spend_attempt(decision, task, Note(source="driver", text=reason), f"the attempt failed: {reason}")
        outside.reply(decision, True, f"{doc.phase.id}: the attempt is counted as failed", task)
    elif claim.refused:
        issues.reported(decision, task, body.issues)
        setbacks.refuse(decision, task, PATCH_RULE, "", claim.refused)
        outside.reply(decision, True, f"{doc.phase.id}: intake refused it ({claim.refused})", task)
    else:
        head = claim.head or None
        evidence = EvidenceSubmitted(
            head=head, commands=body.commands, files=claim.files, notes=claim.notes, issues=body.issues
        )
        judgement.evidence_submitted(decision, task, evidence)
        outside.reply(decision, True, f"{doc.phase.id}: intake and gate have it", task)


def gate_said(decision: Decision, body: GateFinished) -> None:
    """Compare what the builder claimed with what intake and gate found."""
    task = decision.board.task(decision.cause.task)
    doc = phase_of(decision.board, task)
    if doc is None or not doc.claims or doc.claims[-1].head != (body.commit or ""):
        return
    claim = doc.claims[-1]
    if body.verdict == "refused":
        claim = claim.model_copy(update={"refused": f"{body.rule} {body.path}".strip()})
    elif body.verdict in ("green", "red"):
        claim = claim.model_copy(update={"differs": differences(claim, task, body)})
        if claim.differs:
            decision.log("evidence", "the builder's claims differ from the gate's result", claim.differs, task=task)
    put_phase(decision, doc, claims=(*doc.claims[:-1], claim))


def differences(claim: Claim, task: TaskDoc, found: GateFinished) -> tuple[str, ...]:
    """Where claims say something else than what intake saw and the gate ran; of what was not claimed nothing is said."""
    said: list[str] = []
    if claim.files and set(claim.files) != set(found.files):
        missing, more = sorted(set(claim.files) - set(found.files)), sorted(set(found.files) - set(claim.files))
        said += [f"`{path}` was named and is not changed" for path in missing[:MOST_KEPT]]
        said += [f"`{path}` is changed and was not named" for path in more[:MOST_KEPT]]
    if claim.status == "success" and found.verdict == "red":
        said.append("it was called a success, and the gate is red")
    ran = {result.command: result.exit_code for result in found.commands}
    for probe in task.commands:
        if ran.get(probe.command, probe.exit_code) != probe.exit_code:
            said.append(f"`{probe.command}` was said to exit {probe.exit_code}, and exited {ran[probe.command]}")
    return tuple(said)


# --- verdicts --------------------------------------------------------------------------------------


def _audit(decision: Decision, task: TaskDoc, doc: PhaseDoc, body: AuditGiven) -> None:
    for report in body.issues[: issues.MOST_AT_ONCE]:
        issues.record(decision, report, "outside", task, via="auditor")
    why_not = _why_not_counted(task, doc, body)
    said = AuditSaid(
        recommendation=body.recommendation,
        confidence=body.confidence,
        notes=body.notes,
        findings=len(body.findings),
        commit=body.commit or task.head,
        counted=not why_not,
        why_not=why_not,
        at=decision.now,
    )
    doc = put_phase(decision, doc, audits=(*doc.audits, said)[-MOST_KEPT:])
    for suggested in body.patches:
        _suggested(decision, doc, suggested)
    if why_not:
        decision.log("review", f"the auditor says {body.recommendation}: it counts for nothing", [why_not], task=task)
    else:
        _counted(decision, task, doc, body)
    told = f"it counts for nothing: {why_not}" if why_not else "it is counted"
    outside.reply(decision, True, f"{doc.phase.id}: {body.recommendation} is kept; {told}", task)


def _why_not_counted(task: TaskDoc, doc: PhaseDoc, body: AuditGiven) -> str:
    if doc.suggested_in:
        return "it suggested this itself, and nobody judges their own work"
    if task.state not in (TaskState.GATE, TaskState.REVIEW) or not task.head:
        return "nothing is handed in that waits for a verdict"
    if body.commit != task.head:
        return "it judges another hand-in than the one that waits"
    if body.recommendation == "revise" and not any(not finding.dropped for finding in body.findings):
        return "it names no finding that stands, so it overrules nothing"
    return ""


VOTES: Mapping[Recommendation, Vote] = {
    "approve": "approved",
    "revise": "needs_revision",
    "escalate": "abstained",
}


def _counted(decision: Decision, task: TaskDoc, doc: PhaseDoc, body: AuditGiven) -> None:
    verdict = Verdict(vote=VOTES[body.recommendation], findings=body.findings, notes=body.notes)
    if task.state is TaskState.REVIEW:
        _vote(decision, task, verdict)
    else:
        put_phase(decision, doc, early=verdict, early_of=task.head)


def _vote(decision: Decision, task: TaskDoc, verdict: Verdict) -> None:
    """An escalation is the one abstention: it leaves the review to a person."""
    run = outside_of(decision.board)
    assert run is not None
    if verdict.vote == "abstained":
        reviewing.stop(decision, task, f"the outside auditor escalates: {verdict.notes or 'it gives no reason'}")
        return
    body = VerdictGiven(
        review=task.review,
        commit=task.review_commit or None,
        requirements_hash=task.task.digest,
        vote=verdict.vote,
        findings=verdict.findings,
        notes=verdict.notes,
    )
    reviewing.said_by(decision, task, run.auditor, body)


def _suggested(decision: Decision, doc: PhaseDoc, suggested: Suggested) -> None:
    """A phase of its own, in the same tier, that the same walls judge."""
    every = sum(other.suggested_in == doc.phase.id for other in decision.board.all(PhaseDoc)) + 1
    asked = PhaseAsked(
        id=f"{doc.phase.id}.A{every}",
        index=doc.phase.index,
        tier=doc.phase.tier,
        name=suggested.title,
        description=f"As the auditor of {doc.phase.id} suggests.",
        task_category=doc.phase.task_category,
        complexity=doc.phase.complexity,
        builder_mode=doc.phase.builder_mode,
    )
    task = outside.add_phase(decision, asked, suggested_in=doc.phase.id)
    mine = phase_of(decision.board, task)
    assert mine is not None
    _hand_in(decision, task, mine, suggested)


def _hand_in(decision: Decision, task: TaskDoc, doc: PhaseDoc, suggested: Suggested) -> None:
    claim = suggested.claim.model_copy(update={"at": decision.now})
    put_phase(decision, doc, claims=(claim,))
    task = outside.take(decision, task, suggested.base or decision.board.run.head)
    if claim.refused:
        setbacks.refuse(decision, task, PATCH_RULE, "", claim.refused)
    else:
        judgement.evidence_submitted(decision, task, EvidenceSubmitted(head=claim.head or None, files=claim.files))


def settle(decision: Decision) -> None:
    """A verdict that came before its review was open counts once it is; what the auditor suggested goes to a person."""
    for doc in tuple(decision.board.all(PhaseDoc)):
        task = decision.board.task(doc.task)
        if task.state is TaskState.REVIEW and doc.suggested_in:
            reviewing.stop(decision, task, f"the auditor of {doc.suggested_in} suggested this patch itself")
        elif doc.early is not None and task.state is not TaskState.GATE:
            put_phase(decision, doc, early=None, early_of="")
            if task.state is TaskState.REVIEW and task.review_commit == doc.early_of:
                _vote(decision, task, doc.early)
