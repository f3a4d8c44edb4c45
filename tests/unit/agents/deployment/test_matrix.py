"""Green goes on only where everything that is looked at is known and good: eight ways to look, in a canary step and while it bakes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
from watched_target import BLUE, GREEN, Time, WatchedTarget

from callboard.agents.deployment.analysis import analyse
from callboard.agents.deployment.plan import Analysis, AnalysisPlan, Metric
from callboard.agents.deployment.samples import Reading, Sample
from callboard.agents.deployment.watch import watch

Stage = Literal["canary", "bake"]
STAGES: tuple[Stage, ...] = ("canary", "bake")
PLAN = AnalysisPlan(
    (Metric("health", "health"), Metric("error-rate", "error-rate"), Metric("queue", "prometheus", most=10.0)),
    interval_s=30.0,
    hold_s=300.0,
    users_only=True,
)
STEP_S = 300.0
"""Ten intervals."""


@dataclass(frozen=True)
class Case:
    """What the world does; as given it does well."""

    outcome: str
    green_ok: bool = True
    has_users: bool = True
    flaps: bool = False
    value: float = 1.0
    age_s: float = 0.0
    name: str = "queue"
    is_read: bool = True

    def users(self, stage: Stage, begin: float, end: float) -> list[Sample]:
        """One request a second of Green's, and nine of Blue's while it is a canary."""
        if not self.has_users:
            return []
        seconds = range(int(begin) + 1, int(end) + 1)
        green = [Sample(float(at), GREEN, self.green_ok, 0.01, 200 if self.green_ok else 500) for at in seconds]
        blue = [Sample(float(at), BLUE, True, 0.01, 200) for at in seconds for _ in range(9)]
        return green + (blue if stage == "canary" else [])

    def is_healthy(self, release: str, n: int) -> bool:
        return not (self.flaps and release == GREEN and n % 2 == 0)

    def reading(self, now: float) -> Reading:
        return Reading(now - self.age_s, self.name, self.value)


CASES = {
    "pass": Case("pass"),
    "fail": Case("fail", green_ok=False),
    "NaN": Case("inconclusive", value=math.nan),
    "empty": Case("inconclusive", is_read=False),
    "stale": Case("inconclusive", age_s=3600.0),
    "wrong name": Case("inconclusive", name="queu"),
    "no traffic": Case("inconclusive", has_users=False),
    "flapping": Case("fail", flaps=True),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("named", CASES)
def test_an_analysis_passes_only_what_is_known_and_good(named: str, stage: Stage) -> None:
    case, now = CASES[named], 10_000.0
    probes = [Sample(now - 30.0 * (20 - n), GREEN, case.is_healthy(GREEN, n), 0.01, 200, "probe") for n in range(20)]
    readings = [case.reading(now)] if case.is_read else []
    found = analyse(PLAN, BLUE, GREEN, [*probes, *case.users(stage, now - 600, now)], now, readings)
    assert found.outcome == case.outcome, found.reasons


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("named", CASES)
def test_a_watch_promotes_only_what_passes_and_else_gives_blue_everything_back(named: str, stage: Stage) -> None:
    case, time = CASES[named], Time()
    target = WatchedTarget(time, case.is_healthy, lambda begin, end: case.users(stage, begin, end))
    began = time()
    found = _watched(case, target, time)
    print(f"{named} in {stage}: {found.outcome}, the switch was told {target.shifts}")
    assert found.outcome == case.outcome, found.reasons
    assert target.shifts == ([] if named == "pass" else [{BLUE: 100}])
    took = time() - began
    match found.outcome:
        case "pass":
            assert took == STEP_S
        case "fail":
            assert took < STEP_S
        case _:
            assert took == STEP_S + PLAN.hold_s


def _watched(case: Case, target: WatchedTarget, time: Time) -> Analysis:
    async def read() -> Reading:
        if not case.is_read:
            await asyncio.Event().wait()
        return case.reading(time())

    readers: Sequence[Callable[[], Awaitable[Reading]]] = (read,)
    return asyncio.run(watch(target, PLAN, BLUE, GREEN, STEP_S, clock=time, sleep=time.sleep, readers=readers))
