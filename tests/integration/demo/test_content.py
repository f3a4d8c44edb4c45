"""What the demo plays must be true: code that passes really passes, and what is found wrong really is wrong."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from roster import run_git

from callboard.agents.brains.brain import AnyJob, Blocked, Done, Job, Result, ReviewJob, Seat
from callboard.agents.brains.budget import CallEstimate, Reservation, Usage
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.replay import Played, ReplayBrain
from callboard.agents.brains.recording import Recording
from callboard.agents.reviewer.consensus import Concluded, Judgement, Said, Seats, SecondRound, judge
from callboard.agents.reviewer.quotes import verify
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.sandbox import OFF
from callboard.bus.board import Verdict
from callboard.bus.messages import ReviewRequested
from callboard.bus.task import Briefing, CommandResult, Finding, TaskSpec
from callboard.demo.workspace import RECORDING, make_workspace
from callboard.directions.parse import read_direction
from callboard.settings import load_settings

GATE = "python3 -m unittest -q"
DRIVERS = ("driver-1", "driver-2")
TRIO = ("senior", "junior-1", "junior-2")
AT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
REDONE = ("driver-1/web-addresses", "driver-2/visits", "driver-2/access-log")
"""Tasks whose first attempt is sent back."""
ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


class Free:
    """A budget that holds nobody back."""

    async def reserve(self, call: CallEstimate) -> Reservation:
        return Reservation("free")

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        return None


class Stage:
    """A checkout of the demo's repository in which attempts are played one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.repository: Repository = make_workspace(path, AT)
        directions = [read_direction(path / "directions" / f"{driver}.md") for driver in DRIVERS]
        self.problems = [problem for direction in directions for problem in direction.problems]
        self.tasks = {task.key: task for direction in directions for task in direction.tasks}
        make = partial(ModelBrain, now=lambda: AT, budget=Free())
        played = Played(self.log, lambda _, file: file, Free(), str, lambda: AT, _at_once)
        self.brain = ReplayBrain(Recording(RECORDING), lambda caller, log: make(caller, lambda _: log), played)

    def log(self, _: AnyJob) -> CallFile:
        """A new one each time: nothing here goes on after a crash."""
        folder = self.path.parent / f"calls of {self.path.name}"
        number = sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0
        return CallFile(folder / f"{number}.jsonl")

    def seat(self, agent: str) -> Seat:
        return Seat("r-1", agent, "", self.path, 60.0, ENV)

    def play(self, key: str, attempt: int) -> Result:
        task = self.tasks[key]
        job = Job(self.seat(task.agent), "T-1", attempt, task, Briefing(agent=task.agent, version=""), "")
        return asyncio.run(self.brain.work(job, _nobody))

    def run(self, command: str) -> CommandResult:
        return asyncio.run(run_command(command, cwd=self.path, env=ENV, sandbox=OFF, timeout_s=60)).result

    def changed(self) -> set[str]:
        return set(self.repository.uncommitted())

    def review(self, key: str, attempt: int) -> tuple[dict[str, Verdict], Judgement]:
        verdicts = {who: self.verdict(who, key, attempt) for who in TRIO}
        return verdicts, judge(Said(verdicts), Seats(TRIO[0], TRIO[1:]), False)

    def verdict(self, who: str, key: str, attempt: int) -> Verdict:
        task = self.tasks[key]
        request = ReviewRequested(
            review=f"T-1.{attempt}.1",
            spec=task,
            agent=task.agent,
            base="",
            commit=None,
            requirements_hash=task.digest,
            deadline=AT,
        )
        raw = asyncio.run(self.brain.review(ReviewJob(self.seat(who), "T-1", attempt, request, self.diff(task))))
        said = parse_verdict(raw.text)
        return said.model_copy(update={"findings": verify(said.findings, self.read)})

    def diff(self, task: TaskSpec) -> str:
        """What stands in the task's paths and was not there in the beginning."""
        if not task.paths:
            return ""
        self.repository.run("add", "--intent-to-add", "--all")
        return run_git(self.path, "diff", "--no-renames", "HEAD", "--", *task.paths)

    def read(self, path: str) -> bytes | None:
        found = self.path / path
        return found.read_bytes() if found.is_file() else None


async def _at_once(_: float) -> None:
    return None


async def _nobody(_: str) -> None:
    return None


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "demo")


def is_passed(outcome: Judgement) -> bool:
    """By three approvals; or nothing stands, so that the juniors' votes decide."""
    return outcome == SecondRound("vote") or (isinstance(outcome, Concluded) and outcome.outcome == "consensus")


def passing(key: str) -> int:
    return 2 if key in REDONE or key.endswith("/names") else 1


def land(stage: Stage, key: str) -> Result:
    """Play the attempt that passes, as if nothing had been handed in before."""
    return stage.play(key, passing(key))


def test_both_drivers_have_work_that_reads_without_a_problem(stage: Stage) -> None:
    assert stage.problems == []
    assert {task.agent for task in stage.tasks.values()} == set(DRIVERS)
    assert len(stage.tasks) >= 6
    assert all(task.checks and task.evidence and task.serves for task in stage.tasks.values())


def test_the_roster_can_be_launched(stage: Stage) -> None:
    settings = load_settings(stage.path / "callboard.toml", {})
    assert settings.launch_problems() == ()
    assert [agent.name for agent in settings.drivers] == list(DRIVERS)
    assert [agent.name for agent in settings.reviewers] == list(TRIO)
    assert settings.project.gate == (GATE,)


def test_the_service_passes_its_gate_before_anything_is_done(stage: Stage) -> None:
    assert stage.run(GATE).passed


@pytest.mark.long
def test_every_landing_is_green_in_whatever_order_tasks_land(stage: Stage, tmp_path: Path, seed: int) -> None:
    mixed = list(stage.tasks)
    random.Random(seed).shuffle(mixed)
    other = Stage(tmp_path / "mixed")
    for place, order in ((stage, list(stage.tasks)), (other, mixed)):
        for key in order:
            assert isinstance(land(place, key), Done), key
            gate = place.run(GATE)
            assert gate.passed, (order, key, gate.tail)
    assert _files(stage) == _files(other)


@pytest.mark.long
def test_every_task_stays_within_its_paths_passes_its_checks_and_is_approved(stage: Stage) -> None:
    for key, task in stage.tasks.items():
        before = {name: stage.read(name) for name in stage.changed()}
        land(stage, key)
        touched = {name for name in stage.changed() if stage.read(name) != before.get(name)}
        assert touched == (set(task.paths) if task.paths else set()), key
        for command in task.checks:
            assert stage.run(command).passed, (key, command)
        assert is_passed(stage.review(key, passing(key))[1]), key


def test_no_two_tasks_claim_the_same_path(stage: Stage) -> None:
    claimed = [path for task in stage.tasks.values() for path in task.paths]
    assert len(claimed) == len(set(claimed))


def test_the_first_try_at_visits_passes_its_own_check_and_fails_the_gate(stage: Stage) -> None:
    stage.play("driver-2/visits", 1)
    assert stage.run(stage.tasks["driver-2/visits"].checks[0]).passed
    assert not stage.run(GATE).passed


def test_the_second_try_at_visits_passes_on_top_of_the_first(stage: Stage) -> None:
    stage.play("driver-2/visits", 1)
    stage.play("driver-2/visits", 2)
    assert stage.run(GATE).passed


def test_the_first_try_at_the_access_log_leaves_its_paths_and_the_second_does_not(stage: Stage) -> None:
    task = stage.tasks["driver-2/access-log"]
    stage.play(task.key, 1)
    assert stage.changed() - set(task.paths) == {"Makefile"}
    assert stage.run(GATE).passed, "nothing but the path is wrong with it"
    stage.play(task.key, 2)
    assert stage.changed() == set(task.paths)


def test_the_baseline_changes_nothing(stage: Stage) -> None:
    land(stage, "driver-2/baseline")
    assert stage.changed() == set()


def test_names_stop_for_an_answer_and_go_on_with_it(stage: Stage) -> None:
    blocked = stage.play("driver-1/names", 1)
    assert isinstance(blocked, Blocked)
    assert stage.changed() == set()
    assert isinstance(stage.play("driver-1/names", 2), Done)


def test_the_finding_that_sends_addresses_back_is_real_and_then_fixed(stage: Stage) -> None:
    key = "driver-1/web-addresses"
    stage.play(key, 1)
    assert stage.run(GATE).passed, "the tests of the first try do not see it"
    verdicts, outcome = stage.review(key, 1)
    assert not is_passed(outcome)
    assert sum(verdict.vote == "approved" for verdict in verdicts.values()) == 2, "a proven major outweighs two votes"
    found = _majors(verdicts["senior"].findings)
    assert [finding.verified for finding in found] == [True]
    assert not stage.run(found[0].command).passed
    stage.play(key, 2)
    assert stage.run(found[0].command).passed
    assert is_passed(stage.review(key, 2)[1])


def test_a_finding_that_quotes_what_is_not_there_stops_nothing(stage: Stage) -> None:
    land(stage, "driver-1/listing")
    verdicts, outcome = stage.review("driver-1/listing", 1)
    assert [finding.verified for finding in _majors(verdicts["junior-2"].findings)] == [False]
    assert outcome == SecondRound("vote"), "nothing stands, so the juniors vote without a synthesis"


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        make_workspace(tmp_path, AT + timedelta(days=1))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def _majors(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == "major"]


def _files(stage: Stage) -> dict[str, bytes | None]:
    return {name: stage.read(name) for name in sorted(stage.changed())}
