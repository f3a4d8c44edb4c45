"""Metrics and reports: questions to the ledger, over all runs of this workspace."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from callboard.launch.ledgering import project_name
from callboard.ledger import reports
from callboard.web.callers import Reader
from callboard.web.guide.current import catch_up
from callboard.web.guide.names import RUN_STATES, has_state
from callboard.web.guide.reported import (
    BacklogShown,
    BacklogSummary,
    BudgetAnalysis,
    RunMetrics,
    RunSummary,
    TierMetrics,
    show_backlog,
    show_backlog_summary,
    show_budget,
    show_run,
    show_summary,
    show_tier,
)
from callboard.web.house import Here, House, NamedRun
from callboard.web.problems import Refused

routes = APIRouter(tags=["reports"])
MOST = 1_000
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
    return [show_run(row) for row in wanted[:limit]]


@routes.get("/metrics/tiers/{run_id}")
async def metrics_tiers(_: Reader, house: Here, run_id: NamedRun) -> list[TierMetrics]:
    """The tiers of a run, in their order."""
    await catch_up(house, run_id)
    return [show_tier(row) for row in await house.books.ask(partial(reports.tiers, run=run_id))]


@routes.get("/project/issues/backlog")
async def backlog(_: Reader, house: Here) -> BacklogShown:
    """Open issues of all runs, the oldest first."""
    await catch_up(house)
    return show_backlog(await house.books.ask(partial(reports.backlog, project=_project(house), top=MOST)))


@routes.get("/reports/issue_backlog_summary")
async def issue_backlog_summary(_: Reader, house: Here) -> BacklogSummary:
    """The backlog in numbers: what is oldest, and what should be cleaned up."""
    await catch_up(house)
    return show_backlog_summary(await house.books.ask(partial(reports.backlog, project=_project(house))))


@routes.get("/reports/budget_analysis")
async def budget_analysis(_: Reader, house: Here) -> BudgetAnalysis:
    """Which runs have reached which cap."""
    await catch_up(house)
    return show_budget(await house.books.ask(partial(reports.budget, project=_project(house))))


@routes.get("/reports/run_summary/{run_id}")
async def run_summary(_: Reader, house: Here, run_id: NamedRun) -> RunSummary:
    """All of a run: budgets, tiers, phases, issues, reviews."""
    await catch_up(house, run_id)
    found = await house.books.ask(partial(reports.summary, name=run_id))
    if found is None:
        raise Refused(503, f"the ledger does not know run {run_id} yet; ask again soon", headers={"Retry-After": "1"})
    return show_summary(found)


def _project(house: House) -> str:
    return project_name(house.workspace)
