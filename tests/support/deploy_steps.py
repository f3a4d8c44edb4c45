"""Steps of a deployment, against a target in memory in which Blue serves; for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from desk_board import NOON
from target_in_memory import MemoryTarget

from callboard.agents.deployment.history import History
from callboard.agents.deployment.settings import DeploySettings, EnvironmentSettings, TestSettings
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.steps import do
from callboard.agents.workspace.git import Repository
from callboard.bus.deployments import StepName
from callboard.bus.messages import DeploymentChanged, DeploymentRequested
from callboard.bus.task import CommandResult

BLUE, GREEN, COMMIT = "blue", "green", "c" * 40
SETTINGS = DeploySettings(
    start="serve",
    settled_s=1.0,
    healthy_within_s=5.0,
    smoke=("smoke",),
    tests=TestSettings(unit=("unit",), integration=("integration",), health=("health",)),
    environments={"staging": EnvironmentSettings(port=8081), "production": EnvironmentSettings()},
)


@dataclass
class Commands:
    """Runs nothing: commands end as `red` says."""

    red: set[str] = field(default_factory=set)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    async def run(
        self, commit: str, commands: Sequence[str], address: str, variables: Mapping[str, str], timeout_s: float
    ) -> tuple[CommandResult, ...]:
        self.asked += [(command, address, dict(variables)) for command in commands]
        return tuple(
            CommandResult(command=one, exit_code=int(one in self.red), duration_s=1, digest="", tail="it is red")
            for one in commands
        )


@dataclass
class World:
    site: Site
    target: MemoryTarget
    tester: Commands

    def do(self, step: StepName, **values: object) -> DeploymentChanged:
        return asyncio.run(do(self.site, request(step, **values)))


def request(step: StepName, **values: object) -> DeploymentRequested:
    said = {"deployment": "d-1", "environment": "staging", "commit": COMMIT, "number": 1, "run": "r", "blue": BLUE}
    return DeploymentRequested.model_validate({**said, "step": step, "release": GREEN, "percent": 100, **values})


def a_world(tmp_path: Path) -> World:
    """Blue serves."""
    for name in ("staging", "production"):
        (tmp_path / name).mkdir()
    printed = tmp_path / "printed"
    printed.write_text("serving\n")
    target = MemoryTarget(printed, {BLUE: "b" * 40}, {BLUE: 100})
    tester, now = Commands(), [0.0]

    async def sleep(seconds: float) -> None:
        now[0] += seconds
        await asyncio.sleep(0)

    site = Site(
        environment="staging",
        settings=SETTINGS,
        target=target,
        history=History(tmp_path / "staging", lambda: NOON),
        before=None,
        repository=cast(Repository, None),
        landed=tuple,
        root=tmp_path,
        environ={},
        tester=tester,
        clock=lambda: now[0],
        sleep=sleep,
    )
    return World(site, target, tester)
