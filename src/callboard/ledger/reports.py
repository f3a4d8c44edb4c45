"""Questions to the ledger. Each is one look: what it answers is of one moment, some tenths of a second behind the journal."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, select, true

from callboard.bus.board import Board
from callboard.bus.caps import RUN, in_usd
from callboard.ledger import store
from callboard.ledger.database import Database
from callboard.ledger.records import (
    BlockerRecord,
    DeploymentRecord,
    IssueRecord,
    ReviewRecord,
    RunRecord,
    SpendRecord,
    TaskRecord,
    TierRecord,
)
from callboard.ledger.report_rows import (
    Backlog,
    BlockerRow,
    BudgetReport,
    DeploymentRow,
    IssueRow,
    ReviewRow,
    RunRow,
    RunSummary,
    SpendRow,
    TaskRow,
    TierRow,
    Use,
)
from callboard.ledger.tables import FOLDED
from callboard.ledger.texts import as_time

_RUNS, _TIERS, _TASKS, _SPEND = FOLDED[RunRecord], FOLDED[TierRecord], FOLDED[TaskRecord], FOLDED[SpendRecord]
_ISSUES = FOLDED[IssueRecord]
MOST = 1_000
"""Rows of one answer, unless it says otherwise."""
TOP = 10


def runs(
    database: Database, *, state: str = "", project: str = "", limit: int = MOST, offset: int = 0
) -> tuple[RunRow, ...]:
    """Runs, the newest first.

    Args:
        state: Only those in this state; "" = in any.
        project: Only this project's; "" = all that the ledger has.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading() as connection:
        return _runs(connection, _wanted(state, project).limit(limit).offset(offset))


def run(database: Database, name: str) -> RunRow | None:
    with database.reading() as connection:
        return next(iter(_runs(connection, select(_RUNS).where(_RUNS.c.run == name))), None)


def tiers(database: Database, *, run: str = "", name: str = "", limit: int = MOST) -> tuple[TierRow, ...]:
    """Tiers of a run in their order, or of every run where a name says which; those of the newest run first."""
    with database.reading() as connection:
        return _tiers(connection, run=run, name=name, limit=limit)


def backlog(database: Database, *, project: str = "", top: int = TOP) -> Backlog:
    """Open issues of a project: each key as the newest run that knows it has it, for a run takes the backlog over from the
    one before."""
    with database.reading() as connection:
        newest = (
            select(
                _ISSUES,
                func.row_number()
                .over(
                    partition_by=(_RUNS.c.project, _ISSUES.c.key),
                    order_by=(_RUNS.c.created_at.desc(), _RUNS.c.run.desc()),
                )
                .label("place"),
            )
            .join(_RUNS, _RUNS.c.run == _ISSUES.c.run)
            .where(_RUNS.c.project == project if project else true())
            .subquery()
        )
        asked = select(newest).where(newest.c.place == 1, newest.c.state == "open").order_by(newest.c.key)
        issues = [_issue(row) for row in connection.execute(asked).mappings()]
    counted = Counter(issue.severity for issue in issues)
    oldest = sorted(issues, key=lambda issue: (-issue.age_runs, -issue.age_tiers, -issue.count, issue.key))
    return Backlog(
        project=project,
        minors=counted["minor"],
        majors=counted["major"],
        by_category=dict(sorted(Counter(issue.category for issue in issues).items())),
        top_aging=tuple(oldest[:top]),
        needs_cleanup=tuple(issue for issue in oldest if issue.needs_cleanup),
    )


def budget(database: Database, *, project: str = "", limit: int = MOST) -> BudgetReport:
    """What the newest runs have used of their caps."""
    found = runs(database, project=project, limit=limit)
    return BudgetReport(
        runs=found,
        over=tuple(one for one in found if one.over),
        tokens=int(sum(one.use("tokens").used for one in found)),
        usd=sum((one.use("usd").used for one in found), Decimal()),
        calls=sum(one.calls for one in found),
        unpriced=sum(one.unpriced for one in found),
    )


def summary(database: Database, name: str) -> RunSummary | None:
    """All that the ledger has of a run; None when it has nothing."""
    with database.reading() as connection:
        found = _runs(connection, select(_RUNS).where(_RUNS.c.run == name))
        if not found:
            return None
        seen = select(_ISSUES).where(_ISSUES.c.run == name, _ISSUES.c.is_of_this_run).order_by(_ISSUES.c.key)
        return RunSummary(
            run=found[0],
            tiers=_tiers(connection, run=name),
            tasks=tuple(_task(row) for row in _of(connection, TaskRecord, name)),
            blockers=tuple(_blocker(row) for row in _of(connection, BlockerRecord, name)),
            issues=tuple(_issue(row) for row in connection.execute(seen).mappings()),
            reviews=tuple(_review(row) for row in _of(connection, ReviewRecord, name)),
            deployments=tuple(_deployment(row) for row in _of(connection, DeploymentRecord, name)),
            spend=tuple(_spend(row) for row in _of(connection, SpendRecord, name)),
        )


def board(database: Database, name: str) -> Board:
    """A run's board as the ledger has it, also of a run that the bus has forgotten; empty when there is none."""
    with database.reading() as connection:
        return store.board_of(connection, name)


# --- rows ------------------------------------------------------------------------------------------


def _wanted(state: str, project: str) -> Select[Any]:
    asked = select(_RUNS)
    asked = asked.where(_RUNS.c.state == state) if state else asked
    asked = asked.where(_RUNS.c.project == project) if project else asked
    return asked.order_by(_RUNS.c.created_at.desc(), _RUNS.c.run.desc())


def _runs(connection: Connection, asked: Select[Any]) -> tuple[RunRow, ...]:
    found = connection.execute(asked).mappings().all()
    names = [row["run"] for row in found]
    spent = {row["run"]: row for row in _spent(connection, names, RUN)}
    states = _states(connection, names, _TASKS.c.run)
    return tuple(_run(row, spent.get(row["run"]), states.get((row["run"],), {})) for row in found)


def _spent(connection: Connection, names: Sequence[str], *scopes: str) -> Sequence[RowMapping]:
    asked = select(_SPEND).where(_SPEND.c.run.in_(names), _SPEND.c.scope.in_(scopes))
    return connection.execute(asked).mappings().all()


def _states(connection: Connection, names: Sequence[str], *keys: Any) -> dict[tuple[str, ...], dict[str, int]]:
    """By these columns: state -> how many tasks."""
    asked = select(*keys, _TASKS.c.state, func.count()).where(_TASKS.c.run.in_(names))
    found = defaultdict[tuple[str, ...], dict[str, int]](dict)
    for *key, state, count in connection.execute(asked.group_by(*keys, _TASKS.c.state)):
        found[tuple(key)][state] = count
    return found


def _run(row: RowMapping, spent: RowMapping | None, states: Mapping[str, int]) -> RunRow:
    uses = (
        _use("tokens", spent["input_tokens"] + spent["output_tokens"] if spent else 0, row["tokens_cap"]),
        Use("usd", in_usd(spent["micro_usd"] if spent else 0), in_usd(row["micro_usd_cap"])),
        _use("minutes", row["minutes"], row["minutes_cap"]),
        _use("attempts", row["attempts"], row["attempts_cap"]),
        _use("minor_issues", row["minors"], row["minors_cap"]),
    )
    return RunRow(
        **_same(row, "run project state reason detail goal safety base head target promoted tasks minors majors"),
        created_at=as_time(row["created_at"]),
        ended_at=as_time(row["ended_at"]),
        task_states=dict(sorted(states.items())),
        calls=spent["calls"] if spent else 0,
        unpriced=spent["unpriced"] if spent else 0,
        uses=uses,
        facts=tuple(json.loads(row["facts"])),
    )


def _tiers(connection: Connection, *, run: str = "", name: str = "", limit: int = MOST) -> tuple[TierRow, ...]:
    asked = select(_TIERS).join(_RUNS, _RUNS.c.run == _TIERS.c.run)
    asked = asked.where(_TIERS.c.run == run) if run else asked
    asked = asked.where(_TIERS.c.name == name) if name else asked
    asked = asked.order_by(_RUNS.c.created_at.desc(), _RUNS.c.run.desc(), _TIERS.c.index)
    found = connection.execute(asked.limit(limit)).mappings().all()
    names = sorted({row["run"] for row in found})
    states = _states(connection, names, _TASKS.c.run, _TASKS.c.tier)
    scopes = sorted({f"tier:{row['name']}" for row in found})
    spent = {(row["run"], row["scope"]): row for row in _spent(connection, names, *scopes)}
    return tuple(
        _tier(row, spent.get((row["run"], f"tier:{row['name']}")), states.get((row["run"], row["name"]), {}))
        for row in found
    )


def _tier(row: RowMapping, spent: RowMapping | None, states: Mapping[str, int]) -> TierRow:
    capped = () if row["majors_cap"] is None else (_use("major_issues", row["majors"], row["majors_cap"]),)
    return TierRow(
        **_same(row, "run name index has_ended cleanliness tasks minors majors"),
        task_states=dict(sorted(states.items())),
        uses=(
            _use("tokens", spent["input_tokens"] + spent["output_tokens"] if spent else 0, row["tokens_cap"]),
            Use("usd", in_usd(spent["micro_usd"] if spent else 0), in_usd(row["micro_usd_cap"])),
            _use("minutes", row["minutes"], row["minutes_cap"]),
            _use("gate_runs", row["gate_runs"], row["gate_runs_cap"]),
            _use("minor_issues", row["minors"], row["minors_cap"]),
            *capped,
        ),
        problems=tuple(json.loads(row["problems"])),
    )


def _use(what: Any, used: int, cap: int) -> Use:
    return Use(what, Decimal(used), Decimal(cap))


def _same(row: RowMapping, names: str) -> dict[str, Any]:
    """Columns that a report says as they are."""
    return {name: row[name] for name in names.split()}


def _of(connection: Connection, kind: Any, run: str) -> Iterable[RowMapping]:
    """A run's rows of a table: numbered ones by their number."""
    table = FOLDED[kind]
    keys = [column for column in table.primary_key if column.name != "run"]
    order = [func.length(column) for column in keys if column.name == "id"]
    return connection.execute(select(table).where(table.c.run == run).order_by(*order, *keys)).mappings()


def _task(row: RowMapping) -> TaskRow:
    same = _same(row, "run id key title state reason tier category priority agent attempt landed")
    return TaskRow(**same, changed_at=as_time(row["changed_at"]), fields=json.loads(row["fields"]))


def _blocker(row: RowMapping) -> BlockerRow:
    same = _same(row, "run id task agent severity state what needs answer")
    return BlockerRow(**same, raised_at=as_time(row["raised_at"]), resolved_at=as_time(row["resolved_at"]))


def _issue(row: RowMapping) -> IssueRow:
    seen = [one["task"] for one in json.loads(row["sightings"])]
    return IssueRow(
        **_same(
            row, "run key title category severity given state count age_runs age_tiers first_run last_run clean_up"
        ),
        first_at=as_time(row["first_at"]),
        last_at=as_time(row["last_at"]),
        tasks=tuple(dict.fromkeys(filter(None, seen))),
    )


def _review(row: RowMapping) -> ReviewRow:
    same = _same(row, "run id task attempt outcome summary open")
    return ReviewRow(**same, dissent=tuple(json.loads(row["dissent"])), at=as_time(row["at"]))


def _deployment(row: RowMapping) -> DeploymentRow:
    same = _same(row, "run id kind environment commit release state is_over reason")
    return DeploymentRow(**same, requested_at=as_time(row["requested_at"]), ended_at=as_time(row["ended_at"]))


def _spend(row: RowMapping) -> SpendRow:
    same = _same(row, "scope calls input_tokens output_tokens cached_tokens unpriced")
    return SpendRow(**same, usd=in_usd(row["micro_usd"]))
