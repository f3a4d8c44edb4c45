"""Each metric shows the number that is its own: no two are the same here."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

from callboard.bus.gauges import BusGauges, InboxGauge
from callboard.ledger.totals import Calls, Deployed, Totals
from callboard.web.exposition import written
from callboard.web.metrics import of_bus, of_totals

TOTALS = Totals(
    runs={"running": 2, "failed": 3},
    executions_started=101,
    executions_completed=102,
    executions_failed=103,
    merge_runs=104,
    evictions=105,
    models={"opus": Calls(106, 107, 108, 109, Decimal("110.000001"), 111)},
    deployments={"staging": Deployed(112, 113, 114)},
)


def values(text: str) -> dict[str, str]:
    """`name{labels}` -> number, as they are printed."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {line.rpartition(" ")[0]: line.rpartition(" ")[2] for line in lines}


def inbox(name: str, waiting: int, held: int, oldest_s: float | None) -> InboxGauge:
    return InboxGauge(name, waiting, held, oldest_s, redelivered=900, sent=901)


def gauges(*inboxes: InboxGauge, dead: int, redeliveries: int, fenced: int) -> BusGauges:
    return BusGauges(
        at=datetime(2026, 11, 21, tzinfo=UTC),
        seq=902,
        dead=dead,
        timers=903,
        failing=904,
        redeliveries=redeliveries,
        fenced=fenced,
        memory_bytes=905,
        memory_limit_bytes=906,
        clients=907,
        disk_failed=False,
        inboxes=inboxes,
    )


def test_what_the_ledger_counted_stands_under_its_own_name() -> None:
    text = written(of_totals(TOTALS))
    assert values(text) == {
        'callboard_runs{state="running"}': "2",
        'callboard_runs{state="failed"}': "3",
        "callboard_executions_started_total": "101",
        "callboard_executions_completed_total": "102",
        "callboard_executions_failed_total": "103",
        "callboard_merge_runs_total": "104",
        "callboard_evictions_total": "105",
        'callboard_model_calls_total{model="opus"}': "106",
        'callboard_model_tokens_total{kind="input",model="opus"}': "107",
        'callboard_model_tokens_total{kind="output",model="opus"}': "108",
        'callboard_model_cached_tokens_total{model="opus"}': "109",
        'callboard_model_cost_usd_total{model="opus"}': "110.000001",
        'callboard_model_unpriced_calls_total{model="opus"}': "111",
        'callboard_deployments_started_total{environment="staging"}': "112",
        'callboard_deployments_done_total{environment="staging"}': "113",
        'callboard_rollbacks_total{environment="staging"}': "114",
    }
    kinds = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert [name for name, kind in kinds.items() if kind != "counter"] == ["callboard_runs"]


def test_the_buses_of_several_runs_are_added_up_and_the_longest_lag_is_told() -> None:
    one = gauges(inbox("manager", 2, 3, 4.5), dead=5, redeliveries=6, fenced=7)
    other = gauges(inbox("manager", 20, 30, 1.25), inbox("driver-1", 0, 0, None), dead=50, redeliveries=60, fenced=70)
    assert values(written(of_bus([one, other]))) == {
        'callboard_bus_lag_seconds{inbox="manager"}': "4.500",
        'callboard_bus_lag_seconds{inbox="driver-1"}': "0",
        'callboard_bus_waiting_messages{inbox="manager"}': "22",
        'callboard_bus_waiting_messages{inbox="driver-1"}': "0",
        'callboard_bus_held_messages{inbox="manager"}': "33",
        'callboard_bus_held_messages{inbox="driver-1"}': "0",
        "callboard_bus_dead_letters": "55",
        "callboard_bus_redeliveries_total": "66",
        "callboard_bus_fence_rejections_total": "77",
    }
    assert values(written(of_bus([]))) == {}
