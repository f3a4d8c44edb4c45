"""Issues and tiers as people and scripts see them: `callboard issues --json` is an Issues; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callboard.agents.manager import gate_runs
from callboard.agents.manager.decision import newest
from callboard.agents.manager.tiers import age_in_tiers, count, counting, open_issues, severity, tiers
from callboard.bus.board import Board
from callboard.bus.caps import Worked
from callboard.bus.issues import IssueDoc


@dataclass(frozen=True, slots=True)
class SightingRow:
    task: str
    """"" = it was reported of no task."""
    source: str
    """review, gate, lint, driver or person."""
    severity: str
    count: int
    evidence: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class IssueRow:
    key: str
    title: str
    category: str
    severity: str
    """What it counts as: minor or major."""
    given: str
    """The gravest that anybody gave it; a minor one that is too old counts as major."""
    state: str
    closed_because: str
    count: int
    """How often it was seen, over all runs."""
    age_runs: int
    age_tiers: int
    first_run: str
    last_run: str
    clean_up: str
    """The task that was made for it in this run."""
    sightings: tuple[SightingRow, ...]
    """In this run."""


@dataclass(frozen=True, slots=True)
class TierRow:
    name: str
    index: int
    cleanliness: str
    """clean or not_clean."""
    has_ended: bool
    tasks: tuple[str, ...]
    minors: int
    minors_cap: int
    majors: int
    majors_cap: int | None
    """None = not capped."""
    gate_runs: int
    gate_runs_cap: int
    problems: tuple[str, ...]
    """Why it is not clean, each with its way out."""


@dataclass(frozen=True, slots=True)
class Issues:
    run: str
    minors: int
    """Open ones that were seen in this run."""
    minors_cap: int
    majors: int
    tiers: tuple[TierRow, ...]
    issues: tuple[IssueRow, ...]


def issues(board: Board, *, backlog: bool = False, closed: bool = False) -> Issues:
    """
    Args:
        backlog: All that are open, those too that this run has not seen.
        closed: Those that were closed in this run as well.
    """
    wanted = [
        issue
        for issue in sorted(board.all(IssueDoc), key=lambda issue: issue.key)
        if (closed or issue.state == "open") and (backlog or issue.is_of_this_run)
    ]
    wanted.sort(key=lambda issue: (issue.state != "open", severity(board, issue) != "major"))
    minors, majors = count(board, [issue for issue in open_issues(board) if issue.is_of_this_run])
    limits = board.budget.limits
    return Issues(
        run=board.run.id,
        minors=minors,
        minors_cap=limits.issues.run_minors_per_task * counting(newest(board).values()),
        majors=majors,
        tiers=tier_rows(board),
        issues=tuple(row(board, issue) for issue in wanted),
    )


def row(board: Board, issue: IssueDoc) -> IssueRow:
    return IssueRow(
        key=issue.key,
        title=issue.title,
        category=issue.category,
        severity=severity(board, issue),
        given=issue.severity,
        state=issue.state,
        closed_because=issue.closed_because,
        count=issue.count,
        age_runs=issue.age_runs,
        age_tiers=age_in_tiers(board, issue),
        first_run=issue.first_run,
        last_run=issue.last_run,
        clean_up=issue.clean_up,
        sightings=tuple(
            SightingRow(
                task=one.task,
                source=one.source,
                severity=one.severity,
                count=one.count,
                evidence=one.evidence,
                at=one.at,
            )
            for one in issue.sightings
        ),
    )


def tier_rows(board: Board) -> tuple[TierRow, ...]:
    return tuple(
        TierRow(
            name=tier.name,
            index=tier.index,
            cleanliness=tier.cleanliness,
            has_ended=tier.has_ended,
            tasks=tuple(task.id for task in tier.tasks),
            minors=tier.minors,
            minors_cap=tier.minors_cap,
            majors=tier.majors,
            majors_cap=tier.majors_cap,
            gate_runs=board.budget.worked.get(f"tier:{tier.name}", Worked()).gate_runs,
            gate_runs_cap=gate_runs.cap(board, f"tier:{tier.name}"),
            problems=tuple(map(str, tier.problems)),
        )
        for tier in tiers(board)
    )
