"""What a deployment's page reads from the facts of its way: sentences that the analysis itself has written."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

import pytest
from boards import NOW

from callboard.agents.deployment.analysis import analyse
from callboard.agents.deployment.plan import AnalysisPlan, Metric
from callboard.agents.deployment.samples import Reading, Sample
from callboard.bus.deployments import DeploymentDoc, DeploymentState, Edge
from callboard.launch.deployment_rows import DeploymentRow, deployments_of
from callboard.web.dashboard.plots import Share
from callboard.web.dashboard.releases import measured, measures, shares

BLUE, GREEN = "r-1", "r-2"


def at(second: int) -> datetime:
    return NOW + timedelta(seconds=second)


def edge(second: int, event: str, *facts: str, to: DeploymentState = "promoting") -> Edge:
    return Edge(source="promoting", to=to, event=event, facts=facts, at=at(second))


def row(*history: Edge) -> DeploymentRow:
    doc = DeploymentDoc(version=1, id="d-1", environment="production", blue=BLUE, release=GREEN, history=history)
    return deployments_of([doc], {}, NOW).deployments[0]


def users(release: str, count: int, bad: int, second: float = 0.01) -> list[Sample]:
    return [Sample(110.0 - (count - n) / 10, release, n >= bad, second, 200 if n >= bad else 500) for n in range(count)]


def judged(plan: AnalysisPlan, samples: list[Sample], readings: tuple[Reading, ...] = ()) -> tuple[str, ...]:
    return analyse(plan, BLUE, GREEN, samples, 110.0, readings).reasons


def plan(*metrics: Metric) -> AnalysisPlan:
    return AnalysisPlan(metrics, interval_s=30.0, latency_samples=50)


@pytest.mark.parametrize(("bad", "rate"), [(0, 0.0), (30, 60.0)])
def test_rates_of_errors_are_read_as_they_were_judged(bad: int, rate: float) -> None:
    facts = judged(plan(Metric("error-rate", "error-rate")), users(GREEN, 50, bad) + users(BLUE, 50, 0))
    [one] = measured(row(edge(1, "shift: failed", *facts)))
    assert (one.metric, one.unit, one.green) == ("error-rate", "% failed", rate)
    assert (one.blue, one.limit) == ((0.0, 1.0) if bad else (None, None))


def test_latency_is_read_as_it_was_judged() -> None:
    samples = [*users(GREEN, 900, 0, 0.02), *users(BLUE, 900, 0, 0.01)]
    found = analyse(plan(Metric("latency", "latency")), BLUE, GREEN, samples, 110.0)
    [one] = measured(row(edge(1, "bake: passed", *found.reasons)))
    assert (one.metric, one.unit, one.blue) == ("latency", "x Blue's p95", 1.0)
    assert math.isclose(one.green, 2.0, abs_tol=0.1)


@pytest.mark.parametrize(("value", "limit"), [(3.0, None), (12.5, 10.0)])
def test_values_are_read_as_they_were_judged(value: float, limit: float | None) -> None:
    metric = Metric("queue", "prometheus", most=10.0)
    facts = judged(plan(metric), [], (Reading(109.0, "queue", value),))
    [one] = measured(row(edge(1, "bake: passed", *facts)))
    assert (one.metric, one.green, one.limit) == ("queue", value, limit)


def test_what_says_no_number_is_left_to_the_way() -> None:
    facts = ("Green has 50 % of the traffic", "health: it flaps: 3 times", "error-rate: no data", "3 of 3 tests passed")
    assert measured(row(edge(1, "shift: passed", *facts))) == ()
    assert measured(row(edge(1, "test: passed", "error-rate: 1 of 2 requests failed"))) == ()


def test_a_fact_that_stands_twice_is_shown_once() -> None:
    fact = "error-rate: 5 of 23 requests failed, 0 of 18 of Blue's; at most 1.0% may"
    [one] = measured(row(edge(1, "shift: failed", fact, fact)))
    assert (one.green, one.blue, one.limit) == (21.74, 0.0, 1.0)
    [measure] = measures([one])
    [(_, green, blue, limit)] = measure.rows
    assert (green, blue, limit) == (100.0, 0.0, 4.6)


def test_green_has_its_share_from_when_the_step_began_until_the_switch_went_back() -> None:
    way = row(
        edge(0, "asked for by ada"),
        edge(10, "rehearse: passed"),
        edge(20, "shift: passed", "Green has 5 % of the traffic"),
        edge(30, "shift: failed", "Green has 50 % of the traffic"),
        edge(40, "roll_back: passed", to="rolled_back"),
    )
    assert shares(way) == (Share(at(0), 0), Share(at(10), 5), Share(at(20), 50), Share(at(30), 0))


def test_what_serves_in_the_end_has_everything() -> None:
    way = row(
        edge(0, "asked for"), edge(9, "shift: passed", "Green has 100 % of the traffic"), edge(20, "bake: passed")
    )
    assert [share.percent for share in shares(way)] == [0, 100]


def test_a_deployment_that_has_not_begun_has_none() -> None:
    assert shares(row()) == ()
