"""The steps of a deployment, against a target in memory; and the agent that does them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest
from deploy_steps import BLUE, COMMIT, GREEN, SETTINGS, World, a_world, request
from desk_board import NOON
from target_in_memory import MemoryTarget

from callboard.agents.deployment import traffic
from callboard.agents.deployment.handler import DeploymentHandler
from callboard.agents.deployment.history import History
from callboard.agents.deployment.ready_settings import ReadySettings
from callboard.agents.deployment.site import Site
from callboard.agents.deployment.steps import do
from callboard.agents.deployment.target import Abilities
from callboard.agents.driver.handler import DriverHandler
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Board
from callboard.bus.deployments import DeploymentDoc, StepName
from callboard.bus.errors import DeployFailed
from callboard.bus.messages import DeploymentChanged, DeploymentNoted, DeploymentRequested, Draft, Envelope, Outcome


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Blue serves."""
    return a_world(tmp_path)


class NoFiles:
    """A repository that has no commit."""

    def resolve(self, rev: str) -> None:
        return None


def test_the_checklist_is_made_while_green_runs_and_names_what_a_person_has_to_judge(world: World) -> None:
    world.do("up")
    answers = world.do("look").blue == BLUE and next(one for one in world.target.running() if one.id == GREEN).address
    shown = ReadySettings(
        monitoring=(f'test "$CALLBOARD_ENV $CALLBOARD_URL" = "staging {answers}"',), telemetry=("exit 3",)
    )
    settings = SETTINGS.model_copy(update={"ready": shown, "rollback_plan": "docs/back.md"})
    site = replace(world.site, settings=settings, repository=cast(Repository, NoFiles()), environ=dict(os.environ))
    found = asyncio.run(do(site, request("ready")))
    states = {one.name: one.state for one in found.checklist}
    assert (states["monitoring"], states["telemetry"], states["authentication"]) == ("pass", "fail", "unknown")
    assert found.outcome == "missing"
    assert found.reason.split(", ") == [name for name, state in states.items() if state != "pass"]
    assert found.facts[0].startswith("unknown stages: ")


def test_what_a_person_let_pass_is_written_down_once_before_any_traffic(world: World) -> None:
    world.do("up")
    passes = [{"item": "monitoring", "state": "unknown", "by": "Ada"}]
    for _ in range(2):
        world.do("shift", let_pass=passes)
    [noted] = [one for one in world.site.history.read().audit if one.by == "Ada"]
    assert noted.did == "let monitoring pass for r d-1, though nobody knows"


def test_a_target_with_problems_and_a_lock_of_somebody_stop_it_before_anything_is_started(world: World) -> None:
    world.target.wrong = ("port 80 is taken: stop what has it",)
    found = world.do("look")
    assert (found.outcome, found.reason) == ("failed", "port 80 is taken: stop what has it")
    world.target.wrong = ()
    world.site.history.lock("Ada", "holidays")
    assert "locked by Ada" in (world.do("look")).reason
    assert world.target.calls == []


def test_who_deploys_holds_the_environment_and_another_run_starts_nothing_there(world: World) -> None:
    world.do("up")
    hold, called = world.site.history.read().hold, list(world.target.calls)
    assert hold is not None
    assert (hold.by, hold.why) == ("r d-1", "d-1 is under way")
    found = world.do("up", run="another", release="r-9")
    assert (found.outcome, "is locked by r d-1 since" in found.reason) == ("failed", True), found.reason
    assert world.target.calls == called


def test_blue_is_named_and_has_to_be_well(world: World) -> None:
    assert (world.do("look")).blue == BLUE
    world.target.sick = {BLUE}
    assert "Blue, blue, is not well" in (world.do("look")).reason


class Shut(MemoryTarget):
    """Whose switch has ended by itself: until it is opened again it says of nobody that they serve."""

    told: Mapping[str, int] = {BLUE: 100}

    def reopen(self) -> None:
        self.weights = dict(self.told)


@pytest.mark.parametrize("step", ["look", "inputs"])
def test_blue_behind_a_switch_that_does_not_run_is_blue(world: World, step: StepName) -> None:
    world.site.history.note_passed("before", "a" * 40, "r d-0")
    world.site.history.note_passed(BLUE, "b" * 40, "r d-1")
    shut = Shut(world.target.printed, {BLUE: "b" * 40})
    found = asyncio.run(do(replace(world.site, target=shut), request(step, blue="", is_restore=step == "inputs")))
    assert {"look": found.blue, "inputs": found.release}[step] == {"look": BLUE, "inputs": "before"}[step]


def test_production_takes_only_what_has_passed_staging(world: World, tmp_path: Path) -> None:
    before = world.site.history
    world.site = replace(world.site, environment="production", history=History(tmp_path / "production"), before=before)
    refused = world.do("look")
    assert "has not passed staging, which comes before production" in refused.reason
    before.note_passed("r-1", COMMIT, "d-1")
    assert (world.do("look")).outcome == "passed"


def test_green_comes_up_beside_blue_and_what_an_earlier_try_left_is_stopped(world: World) -> None:
    world.target.commits["older"] = "a" * 40
    found = world.do("up")
    assert (found.outcome, found.address) == ("passed", "http://green:80")
    assert world.target.calls == ["down older", "up green"]
    assert world.tester.asked == [
        ("smoke", "http://green:80", {"CALLBOARD_ENV": "staging", "CALLBOARD_URL": "http://green:80"})
    ]


def test_a_start_that_fails_and_a_health_check_that_never_answers_look_like_configuration(world: World) -> None:
    world.target.sick = {GREEN}
    found = world.do("up")
    assert (found.outcome, found.is_configuration) == ("failed", True)
    assert "never stayed well within 5 s" in found.reason
    world.target.fails_up = "`serve` ended with exit code 1"
    found = world.do("up")
    assert (found.outcome, found.is_configuration, found.reason) == ("failed", True, "`serve` ended with exit code 1")


def test_a_smoke_command_that_fails_blames_the_code(world: World) -> None:
    world.tester.red = {"smoke"}
    found = world.do("up")
    assert (found.outcome, found.is_configuration) == ("failed", False)
    assert "`smoke` exited 1: it is red" in found.reason


def test_all_three_kinds_are_run_against_green(world: World) -> None:
    world.do("up")
    world.tester.asked.clear()
    found = world.do("test")
    assert found.outcome == "passed"
    assert [(command, address) for command, address, _ in world.tester.asked] == [
        (kind, "http://green:80") for kind in ("unit", "integration", "health")
    ]


def test_a_kind_that_is_missing_never_passes_until_a_person_waives_it(world: World) -> None:
    world.do("up")
    tests = SETTINGS.tests.model_copy(update={"unit": (), "health": ()})
    world.site = replace(world.site, settings=SETTINGS.model_copy(update={"tests": tests}))
    found = world.do("test")
    assert (found.outcome, found.reason) == ("missing", "unit, health")
    assert (world.do("test", waived=("unit", "health"))).outcome == "passed"


def test_an_error_pattern_in_what_green_prints_fails_the_tests(world: World) -> None:
    world.do("up")
    world.target.printed.write_text("ok\nTraceback (most recent call last):\n")
    found = world.do("test")
    assert found.outcome == "failed"
    assert "Traceback" in found.reason


def test_a_red_test_says_what_it_printed(world: World) -> None:
    world.do("up")
    world.tester.red = {"integration"}
    found = world.do("test")
    assert (found.outcome, found.reason) == ("failed", "`integration` exited 1: it is red")
    assert [one.exit_code for one in found.commands] == [0, 1, 0]


def test_finishing_stops_blue_last_and_once_more_changes_nothing(world: World) -> None:
    world.do("up")
    found = world.do("finish")
    assert found.outcome == "passed"
    assert world.target.calls[-3:] == ["shift {'green': 100}", "drain blue", "down blue"]
    assert (world.do("finish")).outcome == "passed"
    assert set(world.target.commits) == {GREEN}
    assert [one.commit for one in world.site.history.read().passed] == [COMMIT]
    assert world.site.history.read().hold is None


def test_what_the_target_cannot_do_is_done_without_and_said(world: World) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    world.target.abilities = Abilities(weights=False, drain=False, statistics=False)
    settings = world.site.settings.model_copy(update={"target": "command", "canary": (5, 100), "drain_s": 7.0})
    world.site = replace(world.site, settings=settings, sleep=sleep)
    assert world.do("look").facts[1:] == (
        "target command: it switches all traffic at once: canary = [5, 100] is one switch, and Green is watched while it bakes",
        "target command: it cannot tell when a release has no requests in flight: 7 s (drain_s) are waited before it stops",
        "target command: it cannot tell what real requests met: analyses see their own requests alone",
    )
    world.target.commits[GREEN] = COMMIT
    assert world.do("shift", percent=5).facts == ("target command switches all traffic at once: 5 % is left out",)
    said = "had 7 s to end its requests (target command cannot tell when they have ended)"
    assert f"Green, green, {said}" in world.do("roll_back").facts
    world.target.commits[GREEN] = COMMIT
    world.target.calls.clear()
    assert f"Blue, blue, {said} and is stopped" in world.do("finish").facts
    assert slept == [7.0, 7.0]
    assert world.target.calls == ["shift {'green': 100}", "down blue"]


def test_an_analysis_that_saw_no_real_requests_says_so(world: World) -> None:
    world.do("up")
    assert traffic.BLIND not in world.do("bake").facts
    world.target.abilities = replace(world.target.abilities, statistics=False)
    assert traffic.BLIND in world.do("bake").facts


def test_what_only_users_could_judge_is_refused_where_nobody_sees_them(world: World) -> None:
    world.target.abilities = replace(world.target.abilities, statistics=False)
    analysis = world.site.settings.analysis.model_copy(update={"users_only": True})
    world.site = replace(world.site, settings=world.site.settings.model_copy(update={"analysis": analysis}))
    found = world.do("look")
    assert (found.outcome, found.reason[:35]) == ("failed", "[deploy.analysis] users_only judges")


def test_blue_is_not_stopped_when_green_is_gone(world: World) -> None:
    found = world.do("finish")
    assert (found.outcome, set(world.target.commits)) == ("failed", {BLUE})


def test_going_back_switches_first_and_stops_green_last(world: World) -> None:
    world.do("up")
    world.target.shift({GREEN: 100})
    world.target.calls.clear()
    assert (world.do("roll_back")).outcome == "passed"
    assert world.target.calls == ["shift {'blue': 100}", "drain green", "down green"]
    assert (world.do("roll_back")).outcome == "passed"
    assert set(world.target.commits) == {BLUE}


def test_blue_that_has_died_is_started_before_green_is_taken_away(world: World) -> None:
    world.site.history.note_passed(BLUE, "b" * 40, "d-0")
    world.do("up")
    del world.target.commits[BLUE]
    world.target.calls.clear()
    assert (world.do("roll_back")).outcome == "passed"
    assert world.target.calls[:2] == ["up blue", "shift {'blue': 100}"]


def test_green_stays_when_blue_cannot_be_had(world: World) -> None:
    world.do("up")
    del world.target.commits[BLUE]
    found = world.do("roll_back")
    assert (found.outcome, set(world.target.commits)) == ("failed", {GREEN})


def test_a_restore_finds_the_release_before(world: World) -> None:
    assert "no earlier release" in (world.do("inputs", is_restore=True)).reason
    world.site.history.note_passed("older", "a" * 40, "d-0")
    world.site.history.note_passed(BLUE, "b" * 40, "d-1")
    found = world.do("inputs", is_restore=True)
    assert (found.release, found.commit) == ("older", "a" * 40)


# --- the agent -----------------------------------------------------------------------------------


@dataclass
class Delivered:
    envelope: Envelope
    deliveries: int = 1

    async def emit(self, *drafts: Draft) -> None:
        raise AssertionError("a step says nothing before its end")


class Agent:
    """The handler with a board that names the step in hand."""

    def __init__(self, world: World) -> None:
        self.doc = DeploymentDoc()
        self.handler = DeploymentHandler("deployment", cast(DriverHandler, None), lambda name: world.site, self.board)

    async def board(self) -> Board:
        return Board({"deployment:d-1": self.doc})

    async def handle(self, body: DeploymentRequested) -> Outcome:
        draft = Draft("deployment", body)
        id = "00000001-0000-7000-8000-000000000000"
        envelope = draft.stamp(id=id, run="r", sender="manager", now=NOON)
        return await self.handler.handle(Delivered(envelope))

    def asked(self, step: StepName, number: int) -> DeploymentRequested:
        self.doc = DeploymentDoc(version=1, id="d-1", environment="staging", step=step, number=number)
        return request(step, number=number)


def test_a_step_that_nobody_waits_for_is_not_done(world: World) -> None:
    agent = Agent(world)
    stale = agent.asked("up", 3)
    agent.asked("roll_back", 4)
    assert asyncio.run(agent.handle(stale)) == Outcome()
    assert world.target.calls == []


def test_a_rollback_breaks_the_step_under_way_off_and_waits_for_its_end(world: World) -> None:
    world.do("up")
    back = asyncio.run(broken_off(world))
    done = back.messages[0].body
    assert isinstance(done, DeploymentChanged)
    assert (done.step, done.outcome, done.number) == ("roll_back", "passed", 8)
    assert world.target.weights == {BLUE: 100}
    assert set(world.target.commits) == {BLUE}


async def broken_off(world: World) -> Outcome:
    """What a rollback comes to that arrives in the middle of a bake."""
    agent, sleeps = Agent(world), asyncio.Event()

    async def sleep(seconds: float) -> None:
        sleeps.set()
        await asyncio.Event().wait()

    world.site = replace(world.site, sleep=sleep)
    baking = asyncio.ensure_future(agent.handle(agent.asked("bake", 7)))
    await sleeps.wait()
    back = await agent.handle(agent.asked("roll_back", 8))
    assert await baking == Outcome()
    return back


def test_an_environment_that_cannot_be_had_is_an_outcome_with_the_way_out(world: World) -> None:
    agent = Agent(world)

    def nowhere(name: str) -> Site:
        raise DeployFailed(f"no environment {name!r}; there are: production")

    agent.handler = DeploymentHandler("deployment", cast(DriverHandler, None), nowhere, agent.board)
    [draft, _] = asyncio.run(agent.handle(agent.asked("look", 2))).messages
    assert isinstance(draft.body, DeploymentChanged)
    assert (draft.body.outcome, draft.body.reason) == ("failed", "no environment 'staging'; there are: production")


def test_what_is_finished_leaves_notes_and_nothing_else_does(world: World) -> None:
    agent = Agent(world)
    world.do("up")
    finished = asyncio.run(agent.handle(agent.asked("finish", 3))).messages
    [noted] = [draft.body for draft in finished if isinstance(draft.body, DeploymentNoted)]
    assert (noted.deployment, noted.environment, noted.release) == ("d-1", "staging", GREEN)
    assert f"  - {GREEN} serves staging" in noted.lines
    rolled_back = asyncio.run(agent.handle(agent.asked("roll_back", 4))).messages
    assert not [draft for draft in rolled_back if isinstance(draft.body, DeploymentNoted)]


def test_a_finish_closes_what_was_fixed_since_the_release_before_and_a_first_or_restored_one_closes_nothing(
    world: World,
) -> None:
    asked: list[tuple[str, str]] = []

    def close(before: str, commit: str) -> tuple[str, ...]:
        asked.append((before, commit))
        return ("issue #2 is closed on GitHub",)

    world.site = replace(world.site, close_fixed=close)
    world.do("up")
    assert world.do("finish").outcome == "passed"
    assert asked == []
    world.do("finish", deployment="d-2", is_restore=True)
    assert asked == []
    for _ in range(2):
        assert "issue #2 is closed on GitHub" in world.do("finish", deployment="d-3", commit="d" * 40).facts
    assert asked == [(COMMIT, "d" * 40)] * 2


@dataclass
class TriedTarget(MemoryTarget):
    """Whose trials and looks at the switch are written down too."""

    def try_out(self, green: str, blue: str) -> str:
        self.calls.append(f"try {green} beside {blue}")
        return "it had no share for a while"

    def end_trial(self) -> None:
        self.calls.append("trust")

    def give_back(self) -> None:
        self.calls.append("give back")

    def reopen(self) -> bool:
        self.calls.append("reopen")
        return True


def test_green_is_on_trial_from_before_its_first_share_until_before_blue_is_drained(world: World) -> None:
    target = TriedTarget(world.target.printed, {BLUE: "b" * 40, GREEN: COMMIT}, {BLUE: 100})
    settings = SETTINGS.model_copy(update={"canary_s": 1.0, "bake_s": 1.0})
    site = replace(world.site, target=target, settings=settings)

    def did(step: StepName, **values: object) -> tuple[list[str], DeploymentChanged]:
        target.calls.clear()
        found = asyncio.run(do(site, request(step, **values)))
        return [call for call in target.calls if not call.startswith("up")], found

    calls, found = did("shift", percent=25)
    assert calls[:2] == [f"try {GREEN} beside {BLUE}", f"shift {{'{GREEN}': 25, '{BLUE}': 75}}"]
    assert found.facts[:2] == ("it had no share for a while", "Green has 25 % of the traffic")
    calls, _ = did("bake")
    assert calls[:2] == [f"try {GREEN} beside {BLUE}", f"shift {{'{GREEN}': 100}}"]
    assert did("finish")[0] == [f"shift {{'{GREEN}': 100}}", "trust", f"drain {BLUE}", f"down {BLUE}"]
    target.commits[BLUE] = "b" * 40
    assert did("roll_back")[0] == [f"shift {{'{BLUE}': 100}}", "trust", f"drain {GREEN}", f"down {GREEN}"]
    target.commits[GREEN] = COMMIT
    for step in ("shift", "bake"):
        assert not any("try" in call for call in did(step, is_restore=True)[0]), "a person left Blue for it"
        assert not any("try" in call for call in did(step, blue="")[0]), "there is nobody to go back to"


def test_a_switch_that_has_ended_is_brought_back_also_where_nobody_may_deploy(world: World) -> None:
    target = TriedTarget(world.target.printed, {BLUE: "b" * 40}, {BLUE: 100})
    world.site.history.lock("Ada", "holidays")
    found = asyncio.run(do(replace(world.site, target=target), request("look")))
    assert ("locked by Ada" in found.reason, target.calls) == (True, ["reopen"])
