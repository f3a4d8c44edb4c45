"""What all runs of a project came to, in numbers that only grow: what metrics are made of. Four questions, however many runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, RowMapping, and_, func, select

from callboard.bus.caps import in_usd
from callboard.bus.tally import TallyDoc
from callboard.ledger.database import Database
from callboard.ledger.records import BoardRecord, DeploymentRecord, RunRecord, SpendRecord
from callboard.ledger.tables import FOLDED

_RUNS, _BOARD = FOLDED[RunRecord], FOLDED[BoardRecord]
_SPEND, _DEPLOYMENTS = FOLDED[SpendRecord], FOLDED[DeploymentRecord]
_MODEL = "model:"


@dataclass(frozen=True, slots=True)
class Calls:
    """What the settled calls of a model came to."""

    calls: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    """Of the input tokens, those that the provider had already."""
    usd: Decimal
    unpriced: int
    """Calls whose price nobody knows."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """How many deployments of an environment came to what."""

    begun: int
    done: int
    rolled_back: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Of one project."""

    runs: Mapping[str, int]
    """State -> how many runs are in it."""
    executions_started: int
    executions_completed: int
    executions_failed: int
    merge_runs: int
    evictions: int
    models: Mapping[str, Calls]
    deployments: Mapping[str, Deployed]
    """By environment."""


def totals(database: Database, *, project: str) -> Totals:
    """All of it, of one moment.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    with database.reading() as connection:
        tallies = _tallies(connection, project)
        return Totals(
            runs=_states(connection, project),
            executions_started=sum(tally.executions_started for tally in tallies),
            executions_completed=sum(tally.executions_completed for tally in tallies),
            executions_failed=sum(tally.executions_failed for tally in tallies),
            merge_runs=sum(tally.merge_runs for tally in tallies),
            evictions=sum(tally.evictions for tally in tallies),
            models=_models(connection, project),
            deployments=_deployments(connection, project),
        )


def _states(connection: Connection, project: str) -> dict[str, int]:
    asked = select(_RUNS.c.state, func.count()).where(_RUNS.c.project == project).group_by(_RUNS.c.state)
    return {state: count for state, count, *_ in connection.execute(asked.order_by(_RUNS.c.state))}


def _tallies(connection: Connection, project: str) -> list[TallyDoc]:
    """Of each run that has counted anything: a small document, found by its key."""
    found = and_(_BOARD.c.run == _RUNS.c.run, _BOARD.c.field == "tally")
    asked = select(_BOARD.c.doc).join(_RUNS, found).where(_RUNS.c.project == project)
    return [TallyDoc.model_validate_json(doc) for (doc,) in connection.execute(asked)]


def _models(connection: Connection, project: str) -> dict[str, Calls]:
    sums = [func.sum(column).label(column.name) for column in _SPEND.c if column.name not in ("run", "scope")]
    asked = (
        select(_SPEND.c.scope, *sums)
        .join(_RUNS, _RUNS.c.run == _SPEND.c.run)
        .where(_RUNS.c.project == project, _SPEND.c.scope.startswith(_MODEL, autoescape=True))
        .group_by(_SPEND.c.scope)
        .order_by(_SPEND.c.scope)
    )
    rows = connection.execute(asked).mappings()
    return {row["scope"].removeprefix(_MODEL): _calls(row) for row in rows}


def _calls(row: RowMapping) -> Calls:
    counted = {name: int(row[name]) for name in ("calls", "input_tokens", "output_tokens", "cached_tokens", "unpriced")}
    # summed as whole millionths; Postgres gives the sum of such numbers as a decimal one
    return Calls(**counted, usd=in_usd(int(row["micro_usd"])))


def _deployments(connection: Connection, project: str) -> dict[str, Deployed]:
    kept = _DEPLOYMENTS.c
    asked = (
        select(kept.environment, kept.state, func.count())
        .join(_RUNS, _RUNS.c.run == kept.run)
        .where(_RUNS.c.project == project)
        .group_by(kept.environment, kept.state)
    )
    found: dict[str, dict[str, int]] = {}
    for environment, state, count in connection.execute(asked.order_by(kept.environment)):
        found.setdefault(environment, {})[state] = count
    return {
        name: Deployed(sum(states.values()), states.get("done", 0), states.get("rolled_back", 0))
        for name, states in found.items()
    }
