"""What metrics and reports answer, and how it is drawn from the ledger's rows. Pure."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from pydantic import BaseModel

from callboard.ledger.report_rows import Backlog, BudgetReport, IssueRow, RunRow, TaskRow, TierRow, Use
from callboard.ledger.report_rows import RunSummary as Summary
from callboard.web.guide.names import phase_states, run_state


class CapUse(BaseModel):
    """One cap, and how much of it is used. Money is in USD."""

    what: str
    used: float
    cap: float
    over: bool


class RunMetrics(BaseModel):
    run_id: str
    state: str
    paused_for: str
    safety_profile: str
    created_at: datetime | None
    ended_at: datetime | None
    tokens_used: int
    token_cap: int
    token_utilization: float
    minor_issues: int
    major_issues: int
    phase_count: int
    phase_states: dict[str, int]


class TierMetrics(BaseModel):
    run_id: str
    tier_id: str
    tier_index: int
    phase_count: int
    phase_states: dict[str, int]
    cleanliness: str
    problems: list[str]
    minor_issues: int
    major_issues: int
    budgets: list[CapUse]


class BacklogIssue(BaseModel):
    issue_key: str
    title: str
    category: str
    severity: str
    """What it counts as: a minor one that is too old is major."""
    count: int
    age_in_runs: int
    age_in_tiers: int
    first_run: str
    last_run: str
    needs_cleanup: bool


class BacklogShown(BaseModel):
    total: int
    minor_issues: int
    major_issues: int
    issues: list[BacklogIssue]
    """The oldest first."""


class BacklogSummary(BaseModel):
    total: int
    minor_issues: int
    major_issues: int
    by_category: dict[str, int]
    top_aging: list[BacklogIssue]
    needs_cleanup: list[BacklogIssue]


class OverCap(BaseModel):
    run_id: str
    state: str
    caps: list[CapUse]
    """Those that are reached."""


class BudgetAnalysis(BaseModel):
    runs: int
    """How many were looked at."""
    tokens_used: int
    usd: float
    """Of the calls whose price is known."""
    unpriced_calls: int
    over: list[OverCap]


class PhaseSummary(BaseModel):
    phase_id: str
    task: str
    tier_id: str
    name: str
    state: str
    builder_attempts: int
    landed: str
    reason: str


class RunSummary(BaseModel):
    run: RunMetrics
    budgets: list[CapUse]
    facts: list[str]
    """What it came to, once it has ended."""
    tiers: list[TierMetrics]
    phases: list[PhaseSummary]
    issues: list[BacklogIssue]
    """Seen in this run."""
    reviews: int
    review_outcomes: dict[str, int]


def show_backlog(found: Backlog) -> BacklogShown:
    return BacklogShown(
        total=found.minors + found.majors,
        minor_issues=found.minors,
        major_issues=found.majors,
        issues=[_issue(issue) for issue in found.top_aging],
    )


def show_backlog_summary(found: Backlog) -> BacklogSummary:
    return BacklogSummary(
        total=found.minors + found.majors,
        minor_issues=found.minors,
        major_issues=found.majors,
        by_category=dict(found.by_category),
        top_aging=[_issue(issue) for issue in found.top_aging],
        needs_cleanup=[_issue(issue) for issue in found.needs_cleanup],
    )


def show_budget(found: BudgetReport) -> BudgetAnalysis:
    over = [
        OverCap(run_id=row.run, state=run_state(row.state, row.reason), caps=[_use(use) for use in row.over])
        for row in found.over
    ]
    return BudgetAnalysis(
        runs=len(found.runs),
        tokens_used=found.tokens,
        usd=float(found.usd),
        unpriced_calls=found.unpriced,
        over=over,
    )


def show_summary(found: Summary) -> RunSummary:
    return RunSummary(
        run=show_run(found.run),
        budgets=[_use(use) for use in found.run.uses],
        facts=list(found.run.facts),
        tiers=[show_tier(tier) for tier in found.tiers],
        phases=[_phase(task) for task in found.tasks],
        issues=[_issue(issue) for issue in found.issues],
        reviews=len(found.reviews),
        review_outcomes=dict(Counter(review.outcome or "open" for review in found.reviews)),
    )


def _phase(task: TaskRow) -> PhaseSummary:
    return PhaseSummary(
        phase_id=task.key.partition("/")[2] or task.id,
        task=task.id,
        tier_id=task.tier,
        name=task.title,
        state=next(iter(phase_states({task.state: 1}))),
        builder_attempts=task.attempt,
        landed=task.landed,
        reason=task.reason,
    )


def show_run(row: RunRow) -> RunMetrics:
    tokens = row.use("tokens")
    return RunMetrics(
        run_id=row.run,
        state=run_state(row.state, row.reason),
        paused_for=row.reason if row.state == "paused" else "",
        safety_profile=row.safety,
        created_at=row.created_at,
        ended_at=row.ended_at,
        tokens_used=int(tokens.used),
        token_cap=int(tokens.cap),
        token_utilization=tokens.share,
        minor_issues=row.minors,
        major_issues=row.majors,
        phase_count=row.tasks,
        phase_states=phase_states(row.task_states),
    )


def show_tier(row: TierRow) -> TierMetrics:
    return TierMetrics(
        run_id=row.run,
        tier_id=row.name,
        tier_index=row.index,
        phase_count=row.tasks,
        phase_states=phase_states(row.task_states),
        cleanliness=row.cleanliness,
        problems=list(row.problems),
        minor_issues=row.minors,
        major_issues=row.majors,
        budgets=[_use(use) for use in row.uses],
    )


def _use(use: Use) -> CapUse:
    return CapUse(what=use.what, used=float(use.used), cap=float(use.cap), over=use.is_over)


def _issue(row: IssueRow) -> BacklogIssue:
    return BacklogIssue(
        issue_key=row.key,
        title=row.title,
        category=row.category,
        severity=row.severity,
        count=row.count,
        age_in_runs=row.age_runs,
        age_in_tiers=row.age_tiers,
        first_run=row.first_run,
        last_run=row.last_run,
        needs_cleanup=row.needs_cleanup,
    )
