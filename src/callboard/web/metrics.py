"""`/metrics` for Prometheus. Nothing is counted here: every number is read from the ledger and the bus, so that they go on where
they were when this process starts again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from callboard.bus.errors import CallboardError
from callboard.bus.gauges import BusGauges, InboxGauge
from callboard.launch.inboxes import MANAGERS
from callboard.launch.ledgering import project_name
from callboard.web.callers import Reader
from callboard.web.exposition import MEDIA_TYPE, Metric, Sample, written
from callboard.web.house import Here, House

if TYPE_CHECKING:
    from callboard.ledger.totals import Totals

routes = APIRouter(tags=["service"])
MILLI = Decimal("0.001")


@routes.get("/metrics", response_class=PlainTextResponse)
async def metrics(_: Reader, house: Here) -> Response:
    """What all runs came to, and how the bus of those that go on stands, as Prometheus reads it. A ledger or a bus that does not
    answer is told as `callboard_ledger_up 0` and `callboard_bus_up 0`, and its numbers are left out."""
    counted, gauged = await asyncio.gather(_totals(house), _gauges(house))
    text = written([*_service(house, counted, gauged), *(of_totals(counted) if counted else ()), *of_bus(gauged or ())])
    return Response(text, media_type=MEDIA_TYPE)


async def _totals(house: House) -> Totals | None:
    """Four questions to the ledger; None = there is none that answers."""
    from callboard.ledger.totals import totals

    try:
        return await house.books.ask(partial(totals, project=project_name(house.workspace)))
    except CallboardError:
        return None


async def _gauges(house: House) -> list[BusGauges] | None:
    """Of each run that goes on, in two round trips each; a server is not started for this. None = it does not answer."""
    if not house.is_served:
        return []
    names = (*MANAGERS, *(name for name in house.workspace.roster if name not in MANAGERS))
    found: list[BusGauges] = []
    try:
        for run in dict.fromkeys([*(await house.runs())[-1:], *house.hosts.names]):
            async with house.bus(run) as bus:
                found.append(await bus.gauges(names))
    except CallboardError:
        return None
    return found


def _service(house: House, counted: Totals | None, gauged: Sequence[BusGauges] | None) -> Iterator[Metric]:
    yield _gauge("callboard_info", "The program, always 1.", Sample(1, {"version": version("callboard")}))
    if house.books.are_kept:
        yield _gauge("callboard_ledger_up", "Whether the ledger answers.", Sample(int(counted is not None)))
    if house.is_served:
        yield _gauge("callboard_bus_up", "Whether the bus's server answers.", Sample(int(gauged is not None)))


def of_totals(totals: Totals) -> Iterator[Metric]:
    """What the ledger has counted over all runs of the project."""
    runs = [Sample(count, {"state": state}) for state, count in totals.runs.items()]
    yield _gauge("callboard_runs", "Runs in a state.", *runs)
    begun, done, failed = totals.executions_started, totals.executions_completed, totals.executions_failed
    yield _counter("callboard_executions_started_total", "Attempts at tasks that were begun.", Sample(begun))
    yield _counter("callboard_executions_completed_total", "Attempts whose work landed.", Sample(done))
    yield _counter("callboard_executions_failed_total", "Attempts that ended in anything else.", Sample(failed))
    models = [({"model": name}, calls) for name, calls in totals.models.items()]
    yield _counter("callboard_model_calls_total", "Calls of models.", *(Sample(c.calls, at) for at, c in models))
    yield _counter(
        "callboard_model_tokens_total",
        "Tokens of those calls, by kind: input (cached ones among them) or output.",
        *(Sample(c.input_tokens, at | {"kind": "input"}) for at, c in models),
        *(Sample(c.output_tokens, at | {"kind": "output"}) for at, c in models),
    )
    cached = (Sample(c.cached_tokens, at) for at, c in models)
    yield _counter("callboard_model_cached_tokens_total", "Input tokens that the provider had already.", *cached)
    yield _counter("callboard_model_cost_usd_total", "What those calls cost.", *(Sample(c.usd, at) for at, c in models))
    unpriced = (Sample(c.unpriced, at) for at, c in models)
    yield _counter("callboard_model_unpriced_calls_total", "Calls whose price nobody knows.", *unpriced)
    yield _counter("callboard_merge_runs_total", "Stacks that a gate was run for.", Sample(totals.merge_runs))
    yield _counter("callboard_evictions_total", "Branches put out of the merge queue.", Sample(totals.evictions))
    places = [({"environment": name}, deployed) for name, deployed in totals.deployments.items()]
    begun_there = (Sample(d.begun, at) for at, d in places)
    yield _counter("callboard_deployments_started_total", "Deployments that were asked for.", *begun_there)
    yield _counter(
        "callboard_deployments_done_total", "Deployments that serve.", *(Sample(d.done, at) for at, d in places)
    )
    yield _counter(
        "callboard_rollbacks_total", "Deployments rolled back.", *(Sample(d.rolled_back, at) for at, d in places)
    )


def of_bus(gauged: Sequence[BusGauges]) -> Iterator[Metric]:
    """How the bus stands; of several runs the sum, and the longest lag."""
    if not gauged:
        return
    waiting, held, lag = Counter[str](), Counter[str](), dict[str, Decimal]()
    for inbox in (inbox for one in gauged for inbox in one.inboxes):
        waiting[inbox.name] += inbox.waiting
        held[inbox.name] += inbox.held
        lag[inbox.name] = max(lag.get(inbox.name, Decimal()), _lag(inbox))
    yield _by_inbox("callboard_bus_lag_seconds", "Age of an inbox's oldest message; 0 = it is empty.", lag)
    yield _by_inbox("callboard_bus_waiting_messages", "Messages that nobody has yet.", waiting)
    yield _by_inbox("callboard_bus_held_messages", "Messages that somebody works on.", held)
    yield _gauge("callboard_bus_dead_letters", "Messages that were given up.", Sample(sum(one.dead for one in gauged)))
    again, fenced = sum(one.redeliveries for one in gauged), sum(one.fenced for one in gauged)
    yield _counter("callboard_bus_redeliveries_total", "Messages given to a consumer once more.", Sample(again))
    yield _counter(
        "callboard_bus_fence_rejections_total", "Writes of consumers that had lost their lease.", Sample(fenced)
    )


def _lag(inbox: InboxGauge) -> Decimal:
    return Decimal(round((inbox.oldest_s or 0) * 1000)) * MILLI


def _by_inbox(name: str, help: str, values: dict[str, Decimal] | Counter[str]) -> Metric:
    return _gauge(name, help, *(Sample(value, {"inbox": inbox}) for inbox, value in values.items()))


def _gauge(name: str, help: str, *samples: Sample) -> Metric:
    return Metric(name, "gauge", help, samples)


def _counter(name: str, help: str, *samples: Sample) -> Metric:
    return Metric(name, "counter", help, samples)
