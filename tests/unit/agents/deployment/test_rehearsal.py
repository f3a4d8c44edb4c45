"""Before Green gets any traffic: going back is tried, and so is the plan."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from watched_target import BLUE, GREEN, Time, WatchedTarget

from callboard.agents.deployment.analysis_settings import AnalysisSettings, MetricSettings
from callboard.agents.deployment.history import History
from callboard.agents.deployment.rehearsal import before_traffic, rehearse
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.target import Release
from callboard.agents.deployment.traffic import Came
from callboard.agents.workspace.git import Repository
from callboard.bus.errors import DeployFailed
from callboard.bus.messages import DeploymentRequested
from callboard.bus.task import CommandResult


def panics(**limits: float) -> AnalysisSettings:
    own = MetricSettings.model_validate({"kind": "log", "pattern": "panic", **limits})
    return AnalysisSettings(metrics=("health", "error-rate", "panics"), own={"panics": own}, interval_s=60.0)


class NoTester:
    async def run(
        self, commit: str, commands: Sequence[str], address: str, variables: Mapping[str, str], timeout_s: float
    ) -> tuple[CommandResult, ...]:
        raise AssertionError("a rehearsal tests nothing")


async def slept(time: Time, seconds: float) -> None:
    """Readers are threads: they get a moment of real time for each minute of the watch's."""
    await time.sleep(seconds)
    await asyncio.sleep(0.05)


def rehearsed(target: WatchedTarget, root: Path, analysis: AnalysisSettings, blue: str = BLUE) -> Came:
    site = Site(
        environment="production",
        settings=DeploySettings(analysis=analysis),
        target=target,
        history=History(root / "deploy"),
        before=None,
        repository=Repository(root),
        landed=tuple,
        root=root,
        environ={"PATH": "/usr/bin:/bin"},
        tester=NoTester(),
        clock=target.time,
        sleep=lambda seconds: slept(target.time, seconds),
    )
    request = DeploymentRequested(
        deployment="d-1",
        environment="production",
        commit="c" * 40,
        step="rehearse",
        number=1,
        release=GREEN,
        blue=blue,
        run="run-1",
    )
    return asyncio.run(rehearse(site, request))


@dataclass
class Obedient(WatchedTarget):
    """Whose switch says what it was told."""

    printed: Path = Path("/nowhere/output.log")

    def output(self, release: str) -> Path:
        return self.printed

    def running(self) -> tuple[Release, ...]:
        told = self.shifts[-1] if self.shifts else {}
        return tuple(replace(one, weight=told.get(one.id, 0)) for one in super().running())


def test_going_back_is_tried_and_every_metric_is_read_once(tmp_path: Path) -> None:
    printed = tmp_path / "output.log"
    printed.write_text("panic: before\n")
    target = Obedient(Time(), printed=printed)
    outcome, reason, facts = rehearsed(target, tmp_path, panics(most=0.0))
    assert (outcome, reason) == ("passed", "")
    assert target.shifts == [{BLUE: 100}]
    assert facts == (f"Blue, {BLUE}, is well, and the switch gives it everything when told", "panics: 0")


def test_a_metric_that_cannot_be_read_is_known_before_anybody_meets_green(tmp_path: Path) -> None:
    outcome, reason, _ = rehearsed(Obedient(Time()), tmp_path, panics(most=0.0))
    assert outcome == "inconclusive"
    assert "before any traffic: panics: " in reason


def test_a_metric_that_is_bad_before_any_traffic_stops_it(tmp_path: Path) -> None:
    printed = tmp_path / "output.log"
    printed.touch()
    outcome, reason, _ = rehearsed(Obedient(Time(), printed=printed), tmp_path, panics(least=1.0))
    assert outcome == "failed"
    assert "0 is less than 1" in reason


def test_a_switch_that_does_not_do_what_it_is_told_is_no_way_back(tmp_path: Path) -> None:
    with pytest.raises(DeployFailed, match="still has traffic"):
        rehearsed(WatchedTarget(Time()), tmp_path, AnalysisSettings())


def test_a_blue_that_is_not_well_is_no_way_back(tmp_path: Path) -> None:
    target = Obedient(Time(), lambda release, n: False)
    with pytest.raises(DeployFailed, match="could not go back"):
        rehearsed(target, tmp_path, AnalysisSettings())
    assert target.shifts == []


def test_the_first_release_has_nothing_to_go_back_to(tmp_path: Path) -> None:
    target = Obedient(Time())
    assert rehearsed(target, tmp_path, AnalysisSettings(), blue="")[0] == "passed"
    assert target.shifts == []


def test_latency_is_tried_by_pairs_alone() -> None:
    plan = AnalysisSettings(metrics=("health", "error-rate", "latency")).plan()
    assert [one.name for one in before_traffic(plan, has_blue=True).metrics] == ["latency"]
    assert before_traffic(plan, has_blue=False).metrics == ()
    by_users = AnalysisSettings(metrics=("health", "latency"), users_only=True).plan()
    assert before_traffic(by_users, has_blue=True).metrics == ()
