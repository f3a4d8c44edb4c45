"""Green is killed in the middle of each step: that is said, Blue serves everything, and going back leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from deploy_world import World, a_world, until_well, with_traffic

from callboard.agents.deployment.analysis_settings import AnalysisSettings
from callboard.agents.deployment.history import History
from callboard.agents.deployment.settings import DeploySettings, TestSettings
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.steps import do
from callboard.agents.workspace.guard import descendants
from callboard.bus.deployments import StepName
from callboard.bus.messages import DeploymentChanged, DeploymentRequested
from callboard.bus.task import CommandResult

pytestmark = pytest.mark.long

SETTINGS = DeploySettings(
    start="-",
    settled_s=1.0,
    healthy_within_s=120.0,
    canary_s=3600.0,
    bake_s=3600.0,
    tests=TestSettings(unit=("unit",), integration=("integration",), health=("health",)),
    analysis=AnalysisSettings(interval_s=0.5),
)


@dataclass
class Killer:
    """Kills Green: as soon as the step waits, or when its first test runs."""

    world: World
    green: str = ""

    def kill(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            top = int((self.world.folder / "running" / self.green).read_text().split()[0])
            for pid in [*descendants(top), top]:
                os.kill(pid, signal.SIGKILL)

    async def sleep(self, seconds: float) -> None:
        self.kill()
        await asyncio.sleep(seconds)

    async def run(
        self, commit: str, commands: Sequence[str], address: str, variables: Mapping[str, str], timeout_s: float
    ) -> tuple[CommandResult, ...]:
        self.kill()
        return (CommandResult(command=commands[0], exit_code=1, duration_s=1, digest="", tail="connection refused"),)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with a_world(stop_s=1.0) as made:
        made.serve(made.target(), "r-1")
        yield made


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("up", "it ended by itself"),
        ("test", "`unit` exited 1: connection refused"),
        ("shift", "probes in a row failed"),
        ("bake", "probes in a row failed"),
    ],
)
def test_green_that_is_killed_in_the_middle_of_a_step_fails_it_and_blue_serves(
    world: World, step: StepName, said: str
) -> None:
    green, target, killer = f"r-{step}", world.target(), Killer(world)
    killer.green = green
    site = Site(
        environment="production",
        settings=SETTINGS,
        target=target,
        history=History(world.folder),
        before=None,
        repository=world.shop.repository,
        landed=tuple,
        root=world.shop.root,
        environ={},
        tester=killer,
        clock=time.time,
        sleep=killer.sleep,
    )

    def did(step: StepName, site: Site) -> DeploymentChanged:
        asked = {"deployment": f"d-{green}", "environment": "production", "commit": world.commit(), "number": 1}
        more = {"run": "r", "blue": "r-1", "step": step, "release": green, "percent": 50}
        return asyncio.run(do(site, DeploymentRequested.model_validate({**asked, **more})))

    if step != "up":
        world.serve(target, green, percent=0)
        until_well(target, green)
    found = did(step, site)
    assert (found.outcome, said in found.reason) == ("failed", True), found
    assert with_traffic(target.running()) == ["r-1"]
    assert world.get() == (200, "r-1")
    assert did("roll_back", replace(site, sleep=asyncio.sleep)).outcome == "passed"
    assert [one.id for one in target.running()] == ["r-1"]
