"""What a step asks of the target before it goes on: a Green that is not there any more, or not for long enough, gets nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from deploy_steps import BLUE, GREEN, SETTINGS, World, a_world
from target_in_memory import MemoryTarget

from callboard.agents.deployment.analysis_settings import AnalysisSettings
from callboard.agents.deployment.history import History
from callboard.agents.deployment.target import Health, Release
from callboard.bus.deployments import StepName

LOOKS_A_SECOND = 5
"""While a release comes up."""


@dataclass
class Dying(MemoryTarget):
    """Whose Green has ended by itself."""

    def running(self) -> tuple[Release, ...]:
        return tuple(replace(one, alive=one.id != GREEN) for one in super().running())


@dataclass
class Waking(MemoryTarget):
    """Whose Green is well at these looks alone, and at all that follow them."""

    well: list[bool] = field(default_factory=list)
    looks: int = 0

    def healthy(self, release: str) -> Health:
        ok = self.well[self.looks] if self.looks < len(self.well) else True
        self.looks += 1
        return Health(ok, 200 if ok else 503, 0.01, "")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


def test_what_comes_back_asks_for_no_well_blue_no_staging_and_no_smoke(world: World, tmp_path: Path) -> None:
    before = world.site.history
    world.site = replace(world.site, environment="production", history=History(tmp_path / "production"), before=before)
    world.target.sick = {BLUE}
    assert world.do("look", is_restore=True).outcome == "passed"
    assert world.do("up", is_restore=True).outcome == "passed"
    assert world.tester.asked == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("up", "it ended by itself. It said: serving"),
        ("test", "Green, green, does not run. It said: serving"),
        ("rehearse", "Green, green, does not run any more"),
        ("shift", "Green, green, does not run any more"),
        ("bake", "Green, green, does not run any more"),
        ("finish", "Green, green, does not run, so Blue is not stopped"),
    ],
)
def test_a_green_that_has_ended_by_itself_fails_whatever_step_is_in_hand(
    world: World, step: StepName, said: str
) -> None:
    dying = Dying(world.target.printed, {BLUE: "b" * 40, GREEN: "c" * 40}, {BLUE: 100}, sick={GREEN})
    own = {"queue": {"kind": "command", "command": "echo 1", "most": 2.0}}
    analysis = AnalysisSettings.model_validate({"metrics": ["health", "queue"], "own": own})
    settings = SETTINGS.model_copy(update={"analysis": analysis})
    world.site = replace(world.site, target=dying, settings=settings)
    found = world.do(step, percent=50)
    assert (found.outcome, said in found.reason) == ("failed", True), found.reason
    assert found.is_configuration == (step in ("up", "rehearse"))
    assert {"drain blue", "down blue"}.isdisjoint(dying.calls)


def test_green_is_well_for_the_whole_settled_time_in_one_piece(world: World) -> None:
    flickers = Waking(world.target.printed, {BLUE: "b" * 40}, {BLUE: 100}, well=[True, True, True, False])
    world.site = replace(world.site, target=flickers)
    assert world.do("up").outcome == "passed"
    assert flickers.looks > 4 + LOOKS_A_SECOND * SETTINGS.settled_s


def test_a_green_that_answers_just_in_time_has_its_settled_time_besides(world: World) -> None:
    last = int(LOOKS_A_SECOND * SETTINGS.healthy_within_s) - 1
    late = Waking(world.target.printed, {BLUE: "b" * 40}, {BLUE: 100}, well=[False] * last)
    world.site = replace(world.site, target=late)
    assert world.do("up").outcome == "passed"
    late.looks, late.well = 0, [False] * (2 * last)
    assert "never stayed well within 5 s" in world.do("up").reason


@pytest.mark.parametrize("step", ["roll_back", "finish"])
def test_a_lock_that_a_person_has_set_meanwhile_stays_when_a_deployment_ends(world: World, step: StepName) -> None:
    world.do("up")
    history = world.site.history
    history.unlock("r d-1")
    history.lock("Ann", "the books are audited")
    assert world.do(step).outcome == "passed"
    hold = history.read().hold
    assert hold is not None
    assert hold.by == "Ann"
