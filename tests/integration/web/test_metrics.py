"""`/metrics` of a real server: who may read it, what it says of bus and ledger, and that a restart takes nothing away."""

from __future__ import annotations

import asyncio
import os
from decimal import Decimal

import pytest
from prometheus_client.parser import text_string_to_metric_families
from roster import Workspace as Made
from roster import task, until
from served import Served

from callboard.app import Workspace
from callboard.bus.board import Change
from callboard.bus.bus import Bus
from callboard.bus.caps import Caps, OpenCall, Spent
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.errors import LeaseLost
from callboard.bus.messages import Outcome
from callboard.bus.tally import TallyDoc
from callboard.launch.archiving import bring_archive_up
from callboard.web.app import create
from callboard.web.tokens import Tokens

Found = dict[tuple[str, frozenset[tuple[str, str]]], str]
CAPS = {"run": Caps(tokens=10**9, micro_usd=10**9, minutes=1, attempts=1)}


def read(text: str) -> Found:
    """Sample -> the number as it is printed; the client of Prometheus has to read the whole."""
    names = {
        (sample.name, frozenset(sample.labels.items())): sample
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == len(names)
    return dict(zip(names, (line.rpartition(" ")[2] for line in lines), strict=True))


def of(found: Found, name: str, **labels: str) -> str:
    return found[f"callboard_{name}", frozenset(labels.items())]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Workspace:
    """With a ledger."""
    made = Made(tmp_path_factory.mktemp("metrics") / "greenroom")
    made.init({"driver-1": task("1 - One")})
    environ = {**os.environ, "CALLBOARD_BUS_URL": server_url, "CALLBOARD_LEDGER_URL": "embedded"}
    return Workspace.open(made.path, environ)


@pytest.fixture(scope="module")
def happened(workspace: Workspace, board: str, server_url: str) -> None:
    """What a run leaves: two calls, a message that changed hands, a deployment rolled back; all of it archived."""

    async def work() -> None:
        async with await Bus.connect(server_url, board, archive=workspace.archive(board)) as bus:
            for id, micro_usd in (("c1", 100_000), ("c2", 200_001)):
                call = OpenCall(id=id, agent="driver-1", task="T-1", model="opus", tokens=9, micro_usd=9)
                assert await bus.spending.reserve(call, CAPS, ()) is None
                await bus.spending.settle(
                    id, Spent(calls=1, input_tokens=50, output_tokens=5, cached_tokens=40, micro_usd=micro_usd)
                )
            [lost] = await bus.inbox("manager", "manager.here.1").receive(limit=1)
            [taken] = await bus.inbox("manager", "manager.here.2").take_over(idle_s=3600, host="here")
            with pytest.raises(LeaseLost):
                await lost.commit(Outcome())
            tally = TallyDoc(
                version=1, executions_started=5, executions_completed=2, executions_failed=3, merge_runs=4, evictions=6
            )
            gone = DeploymentDoc(version=1, id="d-1", environment="staging", state="rolled_back")
            await taken.commit(Outcome(changes=(Change("tally", tally), Change("deployment:d-1", gone))))
            await bring_archive_up(workspace, bus, print)

    asyncio.run(work())


def test_metrics_need_a_token_that_may_read(served: Served, board: str, reader: str, answerer: str) -> None:
    assert served.ask("/metrics").status == 401
    assert served.ask("/metrics", answerer).status == 403
    answer = served.ask("/metrics", reader)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")


def test_every_number_is_that_of_the_ledger_and_the_bus_and_a_restart_changes_none(
    served: Served, workspace: Workspace, board: str, reader: str, happened: None
) -> None:
    def scraped() -> Found:
        return read(served.ask("/metrics", reader).body.decode())

    # the ledger is taken up beside the requests
    started = ("callboard_executions_started_total", frozenset[tuple[str, str]]())
    until(lambda: scraped().get(started) == "5", every_s=0.5)
    found = scraped()
    assert (of(found, "ledger_up"), of(found, "bus_up")) == ("1", "1")
    executions = tuple(of(found, f"executions_{what}_total") for what in ("started", "completed", "failed"))
    assert executions == ("5", "2", "3")
    assert of(found, "model_calls_total", model="opus") == "2"
    assert of(found, "model_tokens_total", model="opus", kind="input") == "100"
    assert of(found, "model_tokens_total", model="opus", kind="output") == "10"
    assert of(found, "model_cost_usd_total", model="opus") == str(Decimal("0.1") + Decimal("0.200001"))
    assert (of(found, "merge_runs_total"), of(found, "evictions_total")) == ("4", "6")
    assert of(found, "deployments_started_total", environment="staging") == "1"
    assert of(found, "rollbacks_total", environment="staging") == "1"
    assert of(found, "bus_redeliveries_total") == "1"
    assert of(found, "bus_fence_rejections_total") == "1"
    assert of(found, "bus_lag_seconds", inbox="manager") == "0"
    again = Served(create(workspace))
    try:
        token = Tokens(workspace.layout.tokens).create("prometheus", ["read"])[0]
        assert read(again.ask("/metrics", token).body.decode()) == found
    finally:
        again.stop()
