"""Metrics and reports: questions to the ledger, over all runs of this workspace."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from callboard.launch.ledgering import project_name
from callboard.ledger import reports
from callboard.ledger.report_rows import IssueRow, RunRow, TierRow, Use
from callboard.web.callers import Reader
from callboard.web.guide.current import catch_up
from callboard.web.guide.names import RUN_STATES, has_state, phase_states, run_state
from callboard.web.house import Here, House, NamedRun
from callboard.web.problems import Refused

routes = APIRouter(tags=["reports"])
MOST = 1_000


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


Limit = Annotated[int, Query(ge=1, le=MOST)]


@routes.get("/metrics/runs")
async def metrics_runs(
    _: Reader,
    house: Here,
    status: Annotated[str, Query(max_length=100, json_schema_extra={"enum": [*RUN_STATES, ""]})] = "",
    limit: Limit = MOST,
) -> list[RunMetrics]:
    """Runs and what they have used, the newest first. An unknown status is 400."""
    if status and status not in RUN_STATES:
        raise Refused(400, f"there is no status {status!r}; there are: {', '.join(RUN_STATES)}")
    await catch_up(house)
    state = RUN_STATES[status][0] if status else ""
    rows = await house.books.ask(partial(reports.runs, state=state, project=_project(house)))
    wanted = [row for row in rows if not status or has_state(status, row.state, row.reason)]
    return [_run(row) for row in wanted[:limit]]


@routes.get("/metrics/tiers/{run_id}")
async def metrics_tiers(_: Reader, house: Here, run_id: NamedRun) -> list[TierMetrics]:
    """The tiers of a run, in their order."""
    await catch_up(house, run_id)
    return [_tier(row) for row in await house.books.ask(partial(reports.tiers, run=run_id))]


@routes.get("/project/issues/backlog")
async def backlog(_: Reader, house: Here) -> BacklogShown:
    """Open issues of all runs, the oldest first."""
    await catch_up(house)
    found = await house.books.ask(partial(reports.backlog, project=_project(house), top=MOST))
    return BacklogShown(
        total=found.minors + found.majors,
        minor_issues=found.minors,
        major_issues=found.majors,
        issues=[_issue(issue) for issue in found.top_aging],
    )


@routes.get("/reports/issue_backlog_summary")
async def issue_backlog_summary(_: Reader, house: Here) -> BacklogSummary:
    """The backlog in numbers: what is oldest, and what should be cleaned up."""
    await catch_up(house)
    found = await house.books.ask(partial(reports.backlog, project=_project(house)))
    return BacklogSummary(
        total=found.minors + found.majors,
        minor_issues=found.minors,
        major_issues=found.majors,
        by_category=dict(found.by_category),
        top_aging=[_issue(issue) for issue in found.top_aging],
        needs_cleanup=[_issue(issue) for issue in found.needs_cleanup],
    )


@routes.get("/reports/budget_analysis")
async def budget_analysis(_: Reader, house: Here) -> BudgetAnalysis:
    """Which runs have reached which cap."""
    await catch_up(house)
    found = await house.books.ask(partial(reports.budget, project=_project(house)))
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


@routes.get("/reports/run_summary/{run_id}")
async def run_summary(_: Reader, house: Here, run_id: NamedRun) -> RunSummary:
    """All of a run: budgets, tiers, phases, issues, reviews."""
    await catch_up(house, run_id)
    found = await house.books.ask(partial(reports.summary, name=run_id))
    if found is None:
        raise Refused(503, f"the ledger does not know run {run_id} yet; ask again soon", headers={"Retry-After": "1"})
    outcomes: dict[str, int] = {}
    for review in found.reviews:
        outcomes[review.outcome or "open"] = outcomes.get(review.outcome or "open", 0) + 1
    return RunSummary(
        run=_run(found.run),
        budgets=[_use(use) for use in found.run.uses],
        facts=list(found.run.facts),
        tiers=[_tier(tier) for tier in found.tiers],
        phases=[
            PhaseSummary(
                phase_id=task.key.partition("/")[2] or task.id,
                task=task.id,
                tier_id=task.tier,
                name=task.title,
                state=next(iter(phase_states({task.state: 1}))),
                builder_attempts=task.attempt,
                landed=task.landed,
                reason=task.reason,
            )
            for task in found.tasks
        ],
        issues=[_issue(issue) for issue in found.issues],
        reviews=len(found.reviews),
        review_outcomes=outcomes,
    )


def _project(house: House) -> str:
    return project_name(house.workspace)


def _run(row: RunRow) -> RunMetrics:
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


def _tier(row: TierRow) -> TierMetrics:
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
