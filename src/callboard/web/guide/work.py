"""What outside builders and auditors hand in: it goes the way of every agent's work."""

from __future__ import annotations

import asyncio
import hashlib

from fastapi import APIRouter
from pydantic import BaseModel

from callboard.agents.reviewer.quotes import verify
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.patching import PatchVault
from callboard.bus.board import TaskDoc
from callboard.bus.clock import utc_now
from callboard.bus.errors import IntakeRefused
from callboard.bus.issues import Report
from callboard.bus.messages import AuditGiven, AuditRequested, WorkSubmitted
from callboard.bus.outside import AuditAsked as Wanted
from callboard.bus.outside import AuditSaid, Claim
from callboard.bus.outside_messages import Suggested
from callboard.bus.task import CommandResult, Finding
from callboard.hosting import Hosting, auditor_of, builder_of
from callboard.launch import outside
from callboard.launch.outside_spend import count_tokens
from callboard.web.callers import Agent
from callboard.web.guide.asked import AuditAsked, AuditorAsked, BuilderAsked, Probe, SuggestedIssue
from callboard.web.guide.desk import AtDesk, PhaseId, at_desk, same_ids
from callboard.web.guide.shown import PhaseShown, show_phase
from callboard.web.house import Here, NamedRun
from callboard.web.problems import Refused
from callboard.web.repeats import CommandKey

routes = APIRouter(tags=["outside agents"], prefix="/runs/{run_id}/phases/{phase_id}")
TAIL = 2_000
"""Characters of a probe's output that are kept, as of every command."""


class BuilderAnswer(BaseModel):
    """What became of a builder's result so far."""

    run_id: str
    phase_id: str
    intake: str
    """`under way`: GET /runs/{run_id} tells what came of it; `refused (why)`; `none`: there is nothing to take in."""
    phase: PhaseShown


@routes.post("/builder_result")
async def builder_result(
    _: Agent, house: Here, run_id: NamedRun, phase_id: PhaseId, body: BuilderAsked, key: CommandKey
) -> BuilderAnswer:
    """Hand in what a builder made. A patch is stored as it came, put on the integration branch, and goes through intake,
    gate, review and merge queue; nothing that is claimed of it is believed."""
    same_ids(run_id, phase_id, body.run_id, body.phase_id)
    async with at_desk(house, run_id, phase_id) as here:
        base = here.board.run.head
        vault = Hosting(house.workspace).vault(run_id)
        claim = await asyncio.to_thread(_claim, vault, run_id, base, here.task, body)
        told = WorkSubmitted(
            claim=claim,
            base=base if claim.head else "",
            commands=tuple(map(_probe, body.probe_results)),
            issues=tuple(map(_report, body.suggested_issues)),
        )
        handled = await outside.say(here.bus, told, sender=builder_of(run_id), task=here.task.id, key=key)
        await count_tokens(here.bus, builder_of(run_id), here.task, body.tokens_used)
        shown = await _shown(here)
        if not handled.ok:
            raise Refused(409, handled.text, state=shown.state)
        intake = f"refused ({claim.refused})" if claim.refused else "under way" if claim.head else "none"
        return BuilderAnswer(run_id=run_id, phase_id=phase_id, intake=intake, phase=shown)


async def _shown(here: AtDesk) -> PhaseShown:
    board = await here.bus.board()
    return show_phase(board, board.task(here.task.id))


def _claim(vault: PatchVault, run: str, base: str, task: TaskDoc, body: BuilderAsked) -> Claim:
    """What is claimed, with the commit that was made of the patch."""
    claim = Claim(
        status=body.status,
        files=tuple(body.files_changed),
        lines_added=body.lines_added,
        lines_removed=body.lines_removed,
        attempts=body.builder_attempts,
        tokens=body.tokens_used,
        minutes=body.duration_minutes,
        notes=body.notes,
    )
    if not body.patch_content:
        return claim
    return _patched(vault, run, base, task.task.title, body.patch_content, claim)


def _patched(vault: PatchVault, run: str, base: str, title: str, patch: str, claim: Claim) -> Claim:
    vault.ensure()
    # JSON has no newline at the end of what a shell's command substitution gave it, and git needs one
    raw = (patch if patch.endswith("\n") else f"{patch}\n").encode()
    kept = claim.model_copy(update={"patch": vault.keep(run, raw)})
    if claim.status == "failed":
        return kept
    author = Person(vault.seat, f"{vault.seat}@localhost")
    try:
        head = vault.commit(base, raw, title, author, utc_now(), run=run)
    except IntakeRefused as refusal:
        return kept.model_copy(update={"refused": refusal.way_out})
    return kept.model_copy(update={"head": head})


def _probe(probe: Probe) -> CommandResult:
    output = f"{probe.stdout}{probe.stderr}"
    return CommandResult(
        command=probe.probe_type,
        exit_code=probe.exit_code,
        duration_s=probe.duration_seconds,
        digest=hashlib.sha256(output.encode("utf-8", "surrogatepass")).hexdigest(),
        tail=output[-TAIL:],
    )


def _report(issue: SuggestedIssue) -> Report:
    return Report(
        key=issue.issue_key,
        title=issue.description or issue.issue_key,
        severity=issue.severity,
        category=issue.category,
        evidence=tuple(issue.evidence_refs),
    )


class AuditAnswer(BaseModel):
    """What there is to judge."""

    run_id: str
    phase_id: str
    commit: str
    """What is handed in; "" = nothing is just now."""
    base: str
    patch: str
    """From `base` to `commit`."""
    phase: PhaseShown


@routes.post("/auditor_request")
async def auditor_request(
    _: Agent, house: Here, run_id: NamedRun, phase_id: PhaseId, body: AuditAsked, key: CommandKey
) -> AuditAnswer:
    """Ask for an auditor. The answer holds what there is to judge."""
    same_ids(run_id, phase_id, body.run_id, body.phase_id)
    async with at_desk(house, run_id, phase_id) as here:
        if body.tier_id != here.doc.phase.tier:
            raise Refused(422, f"{phase_id} is of tier {here.doc.phase.tier}, and the body says {body.tier_id}")
        wanted = AuditRequested(asked=Wanted(focus=body.review_focus, profile=body.auditor_profile))
        await outside.tell(here.bus, wanted, sender=builder_of(run_id), task=here.task.id, key=key)
        board = await here.bus.board()
        task = board.task(here.task.id)
        patch = await asyncio.to_thread(_diff, Hosting(house.workspace).handed_in(run_id, task), task)
        return AuditAnswer(
            run_id=run_id,
            phase_id=phase_id,
            commit=task.head,
            base=task.base if task.head else "",
            patch=patch,
            phase=show_phase(board, task),
        )


def _diff(vault: Repository, task: TaskDoc) -> str:
    return vault.diff(task.base, task.head).decode("utf-8", "replace") if task.head else ""


class AuditorAnswer(BaseModel):
    """Whether a verdict counts."""

    run_id: str
    phase_id: str
    verdict: AuditSaid
    suggested: list[PhaseShown]
    """Phases that were made of suggested patches."""
    phase: PhaseShown


@routes.post("/auditor_result")
async def auditor_result(
    _: Agent, house: Here, run_id: NamedRun, phase_id: PhaseId, body: AuditorAsked, key: CommandKey
) -> AuditorAnswer:
    """Give an outside auditor's verdict on what is handed in. A `revise` without a finding that stands overrules nothing;
    `escalate` asks a person; each suggested patch becomes a phase of its own."""
    same_ids(run_id, phase_id, body.run_id, body.phase_id)
    async with at_desk(house, run_id, phase_id) as here:
        given = await asyncio.to_thread(_given, Hosting(house.workspace), run_id, here, body)
        before = {task.id for task in here.board.tasks()}
        handled = await outside.say(here.bus, given, sender=auditor_of(run_id), task=here.task.id, key=key)
        await count_tokens(here.bus, auditor_of(run_id), here.task, body.tokens_used)
        if not handled.ok:
            raise Refused(409, handled.text)
        board = await here.bus.board()
        shown = [show_phase(board, task) for task in board.tasks() if task.id not in before]
        phase = show_phase(board, board.task(here.task.id))
        own = [it for it in shown if it.suggested_in == phase_id]
        return AuditorAnswer(run_id=run_id, phase_id=phase_id, verdict=phase.audits[-1], suggested=own, phase=phase)


def _given(hosting: Hosting, run: str, here: AtDesk, body: AuditorAsked) -> AuditGiven:
    """The verdict, with its findings checked against what it judges: where it names a commit that is not handed in now, the
    manager lets it count for nothing."""
    head = here.task.head
    found = [Finding.model_validate(finding.model_dump()) for finding in body.findings]
    handed_in = hosting.handed_in(run, here.task)
    checked = verify(found, lambda path: handed_in.read(head, path)) if head else tuple(found)
    vault, base = hosting.vault(run), here.board.run.head
    patches = [
        Suggested(title=it.description, claim=claim, base=base if claim.head else "")
        for it in body.suggested_patches
        for claim in [
            _patched(
                vault,
                run,
                base,
                it.description,
                it.patch_content,
                Claim(status="success", files=tuple(it.files_changed)),
            )
        ]
    ]
    return AuditGiven(
        recommendation=body.recommendation,
        confidence=body.confidence,
        notes=body.review_notes,
        findings=checked,
        commit=body.commit or head,
        issues=tuple(map(_report, body.issues_found)),
        patches=tuple(patches),
    )
