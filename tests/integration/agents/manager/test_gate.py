"""The gate with real repositories, slots and processes: what it takes in, and what it says about a tree."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import psutil
import pytest
from workshop import ENV, NOON, Workshop, git, write

from callboard.agents.manager.decision import Policy
from callboard.agents.manager.gate import Gate
from callboard.agents.manager.intake import IntakeRules
from callboard.agents.manager.verdicts import gate_hash
from callboard.agents.workspace.confine import UNAVAILABLE
from callboard.agents.workspace.sandbox import OFF
from callboard.agents.workspace.setup import Setup
from callboard.agents.workspace.slots import GateSlots
from callboard.bus.messages import Draft, Envelope, GateFinished, GateRequested, PinRequested, new_id
from callboard.bus.task import Permit, TaskSpec

PIN = "refs/callboard/r1/tasks/T-1/1"


@dataclass
class Gatehouse:
    """A gate over one workshop.

    Args:
        gate: The project's gate.
    """

    workshop: Workshop
    gate: Sequence[str] = ("test -e README.md",)
    setup: Setup = field(default_factory=Setup)
    timeout_s: float = 30.0
    lint: tuple[str, ...] = ()
    tries: int = 3
    backoff_s: float = 1.0
    waited: list[float] = field(default_factory=list)
    """Seconds that were waited before another try."""

    async def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)

    def make(self) -> Gate:
        shop = self.workshop
        slots = GateSlots(shop.layout, shop.repository, 1, self.setup, lambda _: ENV, lambda *_: OFF)
        policy = Policy(gate=tuple(self.gate), lint=self.lint, setup=self.setup.commands)
        return Gate(
            "r1",
            shop.layout,
            shop.repository,
            slots,
            policy,
            IntakeRules(),
            self.timeout_s,
            self._wait,
            tries=self.tries,
            backoff_s=self.backoff_s,
        )

    def hand_in(self, files: Mapping[str, str | bytes]) -> str:
        """A driver works on the head and hands it in."""
        clone = self.workshop.prepared()
        write(clone.path, files)
        commit = self.workshop.hand_in(clone)
        assert commit is not None
        return commit

    def judge(
        self,
        commit: str | None,
        *,
        base: str = "",
        checks: tuple[str, ...] = (),
        paths: tuple[str, ...] = (),
        permits: tuple[Permit, ...] = (),
    ) -> GateFinished:
        spec = TaskSpec(key="driver-1/x", title="x", agent="driver-1", checks=checks, paths=paths)
        request = GateRequested(
            purpose="evidence",
            spec=spec,
            agent="driver-1",
            base=base or self.workshop.head,
            commit=commit,
            permits=permits,
        )
        return asyncio.run(self.make().judge(message(request), request))

    def judge_merge(self, commit: str, base: str) -> GateFinished:
        spec = TaskSpec(key="driver-1/x", title="x", agent="driver-1")
        request = GateRequested(purpose="merge", spec=spec, agent="driver-1", base=base, commit=commit)
        return asyncio.run(self.make().judge(message(request), request))


def message(body: GateRequested | PinRequested) -> Envelope:
    return Draft("gate", body, "T-1", 1).stamp(id=new_id(), run="r1", sender="manager", now=NOON)


def running(mark: str) -> list[list[str]]:
    """Command lines of processes that have `mark` in theirs."""
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if any(mark in word for word in line)]


def test_a_linter_behind_a_green_gate_stops_nothing_and_runs_behind_no_red_one(workshop: Workshop) -> None:
    house = Gatehouse(workshop, lint=("echo new.py:1: odd; false",))
    commit = house.hand_in({"new.py": "x = 1\n"})
    found = house.judge(commit)
    assert (found.verdict, [one.exit_code for one in found.lint]) == ("green", [1])
    assert house.judge(commit, checks=("false",)).lint == ()


# --- taking in ---


def test_what_passes_is_pinned_shown_and_green(workshop: Workshop) -> None:
    house = Gatehouse(workshop)
    commit = house.hand_in({"new.py": "x = 1\n"})
    found = house.judge(commit, checks=("test -e new.py",))
    assert (found.verdict, found.commit, found.files, found.flaky) == ("green", commit, ("new.py",), False)
    assert found.tree == workshop.repository.tree_of(commit)
    spec = TaskSpec(key="x", title="x", agent="driver-1", checks=("test -e new.py",))
    assert found.gate_hash == gate_hash(house.make().policy, spec)
    assert [result.command for result in found.commands] == ["test -e new.py", "test -e README.md"]
    assert workshop.repository.resolve(PIN) == commit
    assert workshop.repository.resolve("refs/heads/driver-1/work") == commit


def test_the_same_request_again_gives_the_same(workshop: Workshop) -> None:
    house = Gatehouse(workshop)
    commit = house.hand_in({"new.py": "x = 1\n"})
    first, again = house.judge(commit), house.judge(commit)
    assert (again.verdict, again.tree, again.gate_hash) == (first.verdict, first.tree, first.gate_hash)


def test_what_only_a_person_lets_through_is_not_imported_before_it_is_permitted(workshop: Workshop) -> None:
    house = Gatehouse(workshop, gate=["touch ../ran"])
    commit = house.hand_in({"docs/new.md": "# New\n", ".github/ci.yml": "on: push\n", "app/main.py": "better\n"})
    paths = ("app/", ".github/ci.yml")
    found = house.judge(commit, paths=paths)
    assert found.verdict == "approval"
    assert [(permit.rule, permit.path) for permit in found.permits] == [
        ("ci", ".github/ci.yml"),
        ("document", "docs/new.md"),
    ]
    assert workshop.repository.resolve(commit) is None
    assert not (workshop.layout.gate(1).parent / "ran").exists()
    assert house.judge(commit, paths=paths, permits=found.permits).verdict == "green"
    assert workshop.repository.resolve(PIN) == commit
    other = house.hand_in({"docs/new.md": "# Newer\n", ".github/ci.yml": "on: [push, release]\n"})
    asked = house.judge(other, paths=paths, permits=found.permits).permits
    assert [permit.path for permit in asked] == [".github/ci.yml"], "other contents for a build server are asked again"


def test_what_intake_refuses_is_not_imported_at_all(workshop: Workshop) -> None:
    house = Gatehouse(workshop, gate=["touch ../ran"])
    commit = house.hand_in({"outside.py": "x = 1\n"})
    refs = workshop.repository.refs("refs")
    found = house.judge(commit, paths=("app/**",))
    assert (found.verdict, found.rule, found.path) == ("refused", "paths", "outside.py")
    assert workshop.repository.refs("refs") == refs
    assert workshop.repository.resolve(commit) is None
    assert not (workshop.layout.gate(1).parent / "ran").exists()


def test_a_commit_that_the_vault_does_not_hold_is_refused(workshop: Workshop) -> None:
    house = Gatehouse(workshop)
    house.hand_in({"new.py": "x = 1\n"})
    assert house.judge("1" * 40).rule == "ancestry"


def test_a_vault_that_is_not_there_says_nothing_about_the_work(workshop: Workshop) -> None:
    found = Gatehouse(workshop).judge("1" * 40)
    assert (found.verdict, found.reason.startswith("intake: ")) == ("infrastructure", True)


def test_work_without_code_is_checked_on_its_base_and_needs_no_project_gate(workshop: Workshop) -> None:
    found = Gatehouse(workshop, gate=["false"]).judge(None, checks=("test -e README.md",))
    assert (found.verdict, found.commit, found.files) == ("green", None, ())
    assert found.tree == workshop.repository.tree_of(workshop.head)
    assert [result.command for result in found.commands] == ["test -e README.md"]


def test_a_merge_is_judged_as_it_lies_in_the_repository(workshop: Workshop) -> None:
    base = workshop.head
    commit = workshop.commit({"merged.py": "x\n"})
    found = Gatehouse(workshop, gate=["test -e merged.py"]).judge_merge(commit, base)
    assert (found.verdict, found.purpose, found.files) == ("green", "merge", ("merged.py",))
    assert workshop.repository.resolve(PIN) is None


def test_unfinished_work_is_kept_under_the_run(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"half.py": "x\n"})
    sha = clone.park("T-1", 1)
    assert sha is not None
    gate = Gatehouse(workshop).make()
    request = PinRequested(agent="driver-1", base=workshop.head, commit=sha)
    for _ in range(2):
        gate.pin(message(request), request)
    assert workshop.repository.resolve("refs/callboard/r1/wip/T-1/1") == sha


def test_unfinished_work_that_intake_would_refuse_stays_in_the_vault(workshop: Workshop) -> None:
    clone = workshop.prepared()
    write(clone.path, {"key.txt": "AKIA" + "A" * 16})
    sha = clone.park("T-1", 1)
    assert sha is not None
    request = PinRequested(agent="driver-1", base=workshop.head, commit=sha)
    Gatehouse(workshop).make().pin(message(request), request)
    assert workshop.repository.refs("refs/callboard") == {}
    assert workshop.repository.sizes([sha]) == {}
    assert clone.vault.resolve("refs/wip/T-1/1") == sha


def test_unfinished_work_that_the_vault_does_not_name_is_not_fetched(workshop: Workshop) -> None:
    house = Gatehouse(workshop)
    handed_in = house.hand_in({"new.py": "x\n"})
    request = PinRequested(agent="driver-1", base=workshop.head, commit=handed_in)
    house.make().pin(message(request), request)
    assert workshop.repository.refs("refs/callboard") == {}


# --- red, green, flaky ---


def test_a_red_check_ends_it_and_its_output_is_kept(workshop: Workshop) -> None:
    house = Gatehouse(workshop)
    commit = house.hand_in({"new.py": "x = 1\n"})
    found = house.judge(commit, checks=("true", "echo it is wrong; exit 3", "true"))
    assert found.verdict == "red"
    assert [(result.exit_code, result.tail) for result in found.commands] == [(0, ""), (3, "it is wrong\n")]


def test_the_project_gate_counts_whatever_the_tasks_checks_say(workshop: Workshop) -> None:
    house = Gatehouse(workshop, gate=["test ! -e new.py"])
    assert house.judge(house.hand_in({"new.py": "x = 1\n"}), checks=("true",)).verdict == "red"


def test_a_pass_after_a_fail_on_the_same_tree_is_green_and_a_flake(workshop: Workshop) -> None:
    house = Gatehouse(workshop, gate=["test -e ../once || { touch ../once; exit 1; }"])
    found = house.judge(house.hand_in({"new.py": "x = 1\n"}))
    assert (found.verdict, found.flaky) == ("green", True)


def passes_at(run: int) -> list[str]:
    """A gate that fails before its so-manieth run."""
    return [f"echo x >> ../count; test $(wc -l < ../count) -ge {run}"]


@pytest.mark.parametrize(
    ("run", "verdict", "flaky"), [(1, "green", False), (2, "green", True), (3, "green", True), (4, "red", False)]
)
def test_a_stack_is_red_only_after_three_runs(workshop: Workshop, run: int, verdict: str, flaky: bool) -> None:
    """A false red would evict a branch that was green before; what is handed in gets two runs."""
    base = workshop.head
    commit = workshop.commit({"new.py": "x = 1\n"})
    house = Gatehouse(workshop, gate=passes_at(run))
    found = house.judge_merge(commit, base)
    assert (found.verdict, found.flaky) == (verdict, flaky)
    runs = (workshop.layout.gate(1).parent / "count").read_text().count("x")
    assert runs == min(run, 3)


def test_a_hand_in_is_red_after_two_runs(workshop: Workshop) -> None:
    house = Gatehouse(workshop, gate=passes_at(3))
    assert house.judge(house.hand_in({"new.py": "x = 1\n"})).verdict == "red"


def test_a_stack_whose_gate_hangs_is_run_twice_and_everything_that_it_forked_is_killed(workshop: Workshop) -> None:
    mark, base = uuid.uuid4().hex, workshop.head
    commit = workshop.commit({"new.py": "x = 1\n"})
    hang = f"echo x >> ../count; (setsid sh -c 'sleep 1000; : {mark}' &); sleep 1000; : {mark}"
    found = Gatehouse(workshop, gate=[hang], timeout_s=6.0).judge_merge(commit, base)
    assert (found.verdict, found.commands[0].exit_code) == ("red", 124)
    assert (workshop.layout.gate(1).parent / "count").read_text().count("x") == 2
    assert running(mark) == []


def test_a_stack_whose_gate_is_not_there_is_no_verdict_and_named(workshop: Workshop) -> None:
    base = workshop.head
    commit = workshop.commit({"new.py": "x = 1\n"})
    found = Gatehouse(workshop, gate=["no-such-program --all"]).judge_merge(commit, base)
    assert found.verdict == "infrastructure"
    assert "`no-such-program --all` could not be run" in found.reason


def test_the_second_chance_is_in_a_fresh_tree(workshop: Workshop) -> None:
    house = Gatehouse(workshop, gate=["test -e left && exit 0; touch left; exit 1"])
    assert house.judge(house.hand_in({"new.py": "x = 1\n"})).verdict == "red"


def test_a_gate_that_hangs_is_red_at_its_time_limit_and_nothing_of_it_stays(workshop: Workshop) -> None:
    mark = uuid.uuid4().hex
    hang = f"echo began; (setsid sh -c 'sleep 1000; : {mark}' &); sleep 1000; : {mark}"
    house = Gatehouse(workshop, gate=[hang], timeout_s=6.0)
    found = house.judge(house.hand_in({"new.py": "x = 1\n"}))
    assert (found.verdict, found.commands[0].exit_code, found.commands[0].tail) == ("red", 124, "began\n")
    assert running(mark) == []


# --- neither red nor green ---


def test_a_program_that_this_machine_lacks_is_no_verdict_after_three_tries(workshop: Workshop) -> None:
    house = Gatehouse(workshop, gate=["no-such-program --all"])
    found = house.judge(house.hand_in({"new.py": "x = 1\n"}))
    assert found.verdict == "infrastructure"
    assert "`no-such-program --all` could not be run" in found.reason
    assert house.waited == [1.0, 2.0]


def test_a_setup_that_fails_whatever_the_tree_is_no_verdict(workshop: Workshop) -> None:
    house = Gatehouse(workshop, setup=Setup(commands=("echo no network; exit 9",)))
    found = house.judge(house.hand_in({"new.py": "x = 1\n"}))
    assert found.verdict == "infrastructure"
    assert "no network" in found.reason


def test_trouble_that_goes_away_is_no_trouble(workshop: Workshop) -> None:
    house = Gatehouse(workshop, setup=Setup(commands=("test -e ../up || { touch ../up; exit 9; }",)))
    assert house.judge(house.hand_in({"new.py": "x = 1\n"})).verdict == "green"
    assert house.waited == [1.0]


def test_a_merge_that_is_not_in_the_repository_is_no_verdict(workshop: Workshop) -> None:
    commit = workshop.commit({"x.py": "x\n"})
    git(workshop.root, "reset", "--quiet", "--hard", "HEAD~1")
    git(workshop.root, "reflog", "expire", "--expire=now", "--all")
    git(workshop.root, "gc", "--quiet", "--prune=now")
    assert Gatehouse(workshop).judge_merge(commit, workshop.head).verdict == "infrastructure"


@pytest.mark.parametrize("broken", ["folder", "git directory"])
def test_a_slot_that_cannot_be_used_is_no_verdict(workshop: Workshop, broken: str) -> None:
    house = Gatehouse(workshop)
    commit = house.hand_in({"new.py": "x = 1\n"})
    if broken == "folder":
        write(workshop.layout.home, {"gates": "a file\n"})
    else:
        assert house.judge(commit).verdict == "green"
        write(workshop.layout.gate_git(1), {"config": "[broken\n"})
    found = house.judge(commit)
    assert found.verdict == "infrastructure"
    assert found.reason
    assert house.waited == [1.0, 2.0]


def test_a_gate_that_cannot_run_is_tried_as_often_as_was_said(workshop: Workshop) -> None:
    house = Gatehouse(workshop, tries=4, backoff_s=0.5)
    commit = house.hand_in({"new.py": "x = 1\n"})
    house.gate = [f"exit {UNAVAILABLE}"]
    assert house.judge(commit).verdict == "infrastructure"
    assert house.waited == [0.5, 1.0, 2.0]


def test_commands_for_which_there_is_no_sandbox_are_no_verdict(workshop: Workshop) -> None:
    house = Gatehouse(workshop)
    commit = house.hand_in({"new.py": "x = 1\n"})
    house.gate = [f"exit {UNAVAILABLE}"]
    found = house.judge(commit)
    assert (found.verdict, house.waited) == ("infrastructure", [1.0, 2.0])
    assert f"`exit {UNAVAILABLE}` could not be run" in found.reason


# --- a broken tree is not a broken machine ---


def test_a_setup_that_the_change_broke_is_red_and_goes_back_with_what_it_said(workshop: Workshop) -> None:
    workshop.commit({"deps.txt": "good\n"})
    house = Gatehouse(workshop, setup=Setup(("grep good deps.txt || { echo bad deps; exit 9; }",), ("deps.txt",)))
    found = house.judge(house.hand_in({"deps.txt": "broken\n"}))
    assert (found.verdict, found.commands) == ("red", ())
    assert "bad deps" in found.reason
    assert house.judge(house.hand_in({"new.py": "x\n"})).verdict == "green", "the slot is as good as new"


def test_tests_that_were_changed_to_look_like_a_broken_machine_are_red(workshop: Workshop) -> None:
    workshop.commit({"run-tests": "exit 0\n"})
    house = Gatehouse(workshop, gate=["sh run-tests"])
    found = house.judge(house.hand_in({"run-tests": "exit 127\n"}))
    assert (found.verdict, found.commands[-1].exit_code) == ("red", 127)


@pytest.mark.parametrize("check", ["./smoke.sh", "no-such-program --all"])
def test_a_check_that_cannot_run_is_its_task_s_trouble_alone(workshop: Workshop, check: str) -> None:
    house = Gatehouse(workshop)
    assert house.judge(house.hand_in({"new.py": "x\n"}), checks=(check,)).verdict == "red"
