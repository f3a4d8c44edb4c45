"""What these routes answer, and how it is drawn from a board. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pydantic import BaseModel

from callboard.agents.manager.outside_seats import outside_of, phase_of
from callboard.agents.manager.phases import NAMES
from callboard.agents.manager.tiers import count, open_issues, tiers
from callboard.bus.board import Board, TaskDoc, TaskState
from callboard.bus.caps import RUN, SpentSeen
from callboard.bus.issue_caps import Safety
from callboard.bus.issues import IssueDoc
from callboard.bus.outside import AuditSaid, PhaseDoc
from callboard.bus.outside_messages import PhaseMove
from callboard.web.guide.names import phase_states, run_state


class PhaseShown(BaseModel):
    """A phase: a task of the run, under its own id where it has one."""

    phase_id: str
    phase_index: int
    tier_id: str
    task: str
    name: str
    description: str
    state: PhaseMove
    reason: str
    """Why it is in this state."""
    blocked_by: str
    """What keeps it from going on; "" = nothing."""
    task_category: str
    complexity: str
    builder_mode: str
    driver: str
    """Of the launched roster, who does it; "" = the builder from outside."""
    builder_attempts: int
    intake: str
    """Of the last hand-in: `none`, `under way`, `accepted`, or `refused (why)`."""
    claims_differ: list[str]
    """Where the gate found something else than the builder said."""
    audits: list[AuditSaid]
    suggested_in: str
    landed: str
    """The commit that brought it to the integration branch; "" = none did."""
    counts: dict[str, int]


class TierShown(BaseModel):
    tier_id: str
    tier_index: int
    name: str
    description: str
    cleanliness: str
    problems: list[str]
    phase_count: int
    phase_states: dict[str, int]
    minor_issues: int
    major_issues: int


class RunShown(BaseModel):
    run_id: str
    state: str
    paused_for: str
    """Why nothing is handed out just now; "" = the run goes on."""
    detail: str
    safety_profile: Safety
    run_scope: str
    created_at: datetime | None
    integration_branch: str
    tokens_used: int
    token_cap: int
    token_utilization: float
    """1.0 = all of it."""
    max_phases: int
    minor_issues: int
    major_issues: int
    tiers: list[TierShown]
    phases: list[PhaseShown]


class IssueShown(BaseModel):
    issue_key: str
    title: str
    severity: str
    category: str
    state: str
    count: int
    """How often it was seen, over all runs."""
    first_run: str
    last_run: str
    age_in_runs: int
    age_in_tiers: int
    phases: list[str]
    """In which it was seen in this run."""
    sources: list[str]
    task_categories: list[str]
    """Of the tasks in which it was seen from outside, as they were given."""
    evidence_refs: list[str]


class IssueIndex(BaseModel):
    run_id: str
    total: int
    minor_issues: int
    major_issues: int
    issues: list[IssueShown]


def show_run(board: Board, spent: SpentSeen) -> RunShown:
    """A run as it stands now, with its tiers and phases."""
    run, outside = board.run, outside_of(board)
    used, cap = spent.of(RUN).tokens, board.caps(RUN).tokens
    seen = [issue for issue in open_issues(board) if issue.is_of_this_run]
    minors, majors = count(board, seen)
    return RunShown(
        run_id=run.id,
        state=run_state(run.state, run.reason),
        paused_for=run.reason if run.state == "paused" else "",
        detail=run.detail,
        safety_profile=run.safety,
        run_scope=outside.run_scope if outside else "",
        created_at=run.created_at,
        integration_branch=run.integration,
        tokens_used=used,
        token_cap=cap,
        token_utilization=used / cap if cap else 0.0,
        max_phases=outside.max_phases if outside else board.budget.limits.made_tasks,
        minor_issues=minors,
        major_issues=majors,
        tiers=list(_tiers(board)),
        phases=[show_phase(board, task) for task in board.tasks()],
    )


def _tiers(board: Board) -> Iterator[TierShown]:
    """Those that were asked for, and those that tasks name."""
    outside, found = outside_of(board), {tier.name: tier for tier in tiers(board)}
    asked = {tier.id: tier for tier in sorted(outside.tiers, key=lambda tier: tier.index)} if outside else {}
    for name in dict.fromkeys((*asked, *found)):
        tier, said = found.get(name), asked.get(name)
        states: dict[str, int] = {}
        for task in tier.tasks if tier else ():
            states[task.state] = states.get(task.state, 0) + 1
        yield TierShown(
            tier_id=name,
            tier_index=said.index if said else tier.index if tier else 0,
            name=said.name if said else name,
            description=said.description if said else "",
            cleanliness=tier.cleanliness if tier else "clean",
            problems=[str(problem) for problem in tier.problems] if tier else [],
            phase_count=len(tier.tasks) if tier else 0,
            phase_states=phase_states(states),
            minor_issues=tier.minors if tier else 0,
            major_issues=tier.majors if tier else 0,
        )


def show_phase(board: Board, task: TaskDoc) -> PhaseShown:
    doc = phase_of(board, task) or PhaseDoc()
    asked = doc.asked
    return PhaseShown(
        phase_id=asked.id if asked else task.id,
        phase_index=asked.index if asked else task.task.order,
        tier_id=task.task.tier,
        task=task.id,
        name=task.task.title,
        description=task.task.what,
        state=NAMES[task.state],
        reason=task.reason,
        blocked_by=task.reason if task.state is TaskState.BLOCKED else "",
        task_category=asked.task_category if asked else task.task.category,
        complexity=asked.complexity if asked else "medium",
        builder_mode=asked.builder_mode if asked else "",
        driver=asked.driver if asked else task.task.agent,
        builder_attempts=task.attempt,
        intake=intake_of(task, doc),
        claims_differ=list(doc.claims[-1].differs) if doc.claims else [],
        audits=list(doc.audits),
        suggested_in=doc.suggested_in,
        landed=task.landed,
        counts=doc.counts,
    )


def intake_of(task: TaskDoc, doc: PhaseDoc) -> str:
    """What came of the last thing that was handed in."""
    if not doc.claims:
        return "none"
    if doc.claims[-1].refused:
        return f"refused ({doc.claims[-1].refused})"
    if not doc.claims[-1].head:
        return "none"
    return "under way" if task.state is TaskState.GATE and not task.tree else "accepted"


def show_index(board: Board) -> IssueIndex:
    """Issues that were seen in this run."""
    seen = [issue for issue in board.all(IssueDoc) if issue.is_of_this_run]
    minors, majors = count(board, [issue for issue in seen if issue.state == "open"])
    shown = [_issue(board, issue) for issue in seen]
    return IssueIndex(run_id=board.run.id, total=len(shown), minor_issues=minors, major_issues=majors, issues=shown)


def _issue(board: Board, issue: IssueDoc) -> IssueShown:
    tasks = dict.fromkeys(one.task for one in issue.sightings if one.task)
    phases = {id: phase_of(board, board.task(id)) for id in tasks}
    return IssueShown(
        issue_key=issue.key,
        title=issue.title,
        severity=issue.severity,
        category=issue.category,
        state=issue.state,
        count=issue.count,
        first_run=issue.first_run,
        last_run=issue.last_run,
        age_in_runs=issue.age_runs,
        age_in_tiers=issue.age_tiers,
        phases=[doc.phase.id if doc else id for id, doc in phases.items()],
        sources=list(dict.fromkeys(one.via or one.source for one in issue.sightings)),
        task_categories=list(dict.fromkeys(one.task_category for one in issue.sightings if one.task_category)),
        evidence_refs=list(dict.fromkeys(ref for one in issue.sightings for ref in one.evidence)),
    )
