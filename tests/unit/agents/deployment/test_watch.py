"""A watch step by step, on a clock that only its sleeping moves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest
from watched_target import BLUE, GREEN, Time, WatchedTarget

from callboard.agents.deployment.plan import Analysis, AnalysisPlan, Metric
from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.target import Health
from callboard.agents.deployment.watch import watch
from callboard.bus.errors import DeployFailed

PLAN = AnalysisPlan((Metric("health", "health"), Metric("error-rate", "error-rate")), interval_s=30.0, hold_s=90.0)


def watched(target: WatchedTarget, blue: str | None = BLUE, plan: AnalysisPlan = PLAN) -> Analysis:
    return asyncio.run(watch(target, plan, blue, GREEN, 300.0, clock=target.time, sleep=target.time.sleep))


def test_blue_has_everything_back_with_the_second_bad_probe() -> None:
    target = WatchedTarget(Time(), lambda release, n: release == BLUE or n < 5)
    began = target.time()
    found = watched(target)
    assert found.outcome == "fail"
    assert "2 probes in a row failed" in found.reasons[0]
    assert target.probes[GREEN] == 6, "the fifth was the first bad one"
    assert target.time() - began == 5 * PLAN.interval_s
    assert target.shifts == [{BLUE: 100}]


def test_one_bad_probe_is_no_reason_to_go_back_but_none_to_go_on_either() -> None:
    target = WatchedTarget(Time(), lambda release, n: release == BLUE or n != 11)
    began = target.time()
    lenient = replace(PLAN, min_samples=5, max_error_rate=0.2)
    assert watched(target, plan=lenient).outcome == "pass"
    assert target.time() - began == 390, "after the last of three good ones, and not at 300"


def test_errors_that_users_meet_count_within_two_intervals_after_a_long_good_time() -> None:
    time = Time()
    turn = time() + 280

    def users(begin: float, end: float) -> list[Sample]:
        seconds = range(int(begin) + 1, int(end) + 1)
        return [Sample(at, GREEN, at < turn, 0.01, 200) for second in seconds for at in (float(second),) * 50]

    target = WatchedTarget(time, users=users)
    assert watched(target).outcome == "fail"
    assert time() - turn <= 2 * PLAN.interval_s


def test_without_a_blue_nobody_is_given_the_traffic() -> None:
    target = WatchedTarget(Time(), lambda release, n: False)
    assert watched(target, None).outcome == "fail"
    assert target.shifts == []


@dataclass
class Stuck(WatchedTarget):
    """Whose switch refuses so often."""

    refusals: int = 0

    def shift(self, weights: Mapping[str, int]) -> None:
        super().shift(weights)
        if len(self.shifts) <= self.refusals:
            raise DeployFailed("the switch does not answer")


def test_a_switch_that_refuses_is_told_again() -> None:
    target = Stuck(Time(), lambda release, n: False, refusals=2)
    assert watched(target).outcome == "fail"
    assert len(target.shifts) == 3


def test_a_switch_that_stays_deaf_is_an_error() -> None:
    target = Stuck(Time(), lambda release, n: False, refusals=3)
    with pytest.raises(DeployFailed):
        watched(target)


@dataclass
class Silent(WatchedTarget):
    """Whose statistics and probes fail themselves."""

    def healthy(self, release: str) -> Health:
        raise DeployFailed("nobody can look")


def test_a_probe_that_cannot_be_made_is_a_bad_one() -> None:
    target = Silent(Time())
    assert watched(target).outcome == "fail"
    assert target.shifts == [{BLUE: 100}]
