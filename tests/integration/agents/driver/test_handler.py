"""A driver with a real clone, real git and real programs; only the bus is not there."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psutil
import pytest
from agent_world import NOW, Delivered, World, bodies, entry

from callboard.agents.brains.brain import Job, Report, Result
from callboard.agents.brains.command import CommandBrain
from callboard.agents.driver.handler import DriverHandler
from callboard.agents.driver.task_run import Post
from callboard.agents.workspace.setup import Setup
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent, LeaseLost, Reject
from callboard.bus.messages import (
    AnswerGiven,
    AttemptFailed,
    AttemptParked,
    AttemptStopped,
    BlockerRaised,
    Body,
    Draft,
    EvidenceSubmitted,
    FeedbackLogged,
    Outcome,
    QuestionAsked,
    TaskAccepted,
    TaskAssigned,
    TaskCancelled,
    TaskProgressed,
)
from callboard.bus.task import Briefing, Note, TaskSpec

AGENT = "driver-1"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo", {"app.py": "x = 1\n", ".gitignore": "*.log\n"})


def spec(*checks: str) -> TaskSpec:
    return TaskSpec(key="driver-1/health", title="Add a /health endpoint", agent=AGENT, checks=checks)


def assigned(world: World, *checks: str, start: str = "", notes: tuple[Note, ...] = ()) -> TaskAssigned:
    briefing = Briefing(agent=AGENT, version="00ff", prefix="api: ")
    return TaskAssigned(spec=spec(*checks), briefing=briefing, base=world.base, start=start or world.base, notes=notes)


def driver(world: World, command: str, *, timeout_s: float = 30.0, setup: Setup | None = None) -> DriverHandler:
    seat = world.seat(AGENT, timeout_s=timeout_s)
    post = Post(seat, world.clone(AGENT), setup or Setup(), check_timeout_s=20.0, progress_every_s=0.0)
    return DriverHandler(post, CommandBrain(command), now=lambda: NOW)


def delivered(body: Body, *, deliveries: int = 1, task: str = "T-1", attempt: int = 1) -> Delivered:
    return Delivered(body, recipient=AGENT, deliveries=deliveries, task=task, attempt=attempt)


def handle(handler: DriverHandler, work: Delivered) -> Outcome:
    return asyncio.run(handler.handle(work))


def files_of(world: World, commit: str) -> dict[str, bytes | None]:
    vault = world.clone(AGENT).vault
    return {path: vault.read(commit, path) for path in vault.entries(commit)}


def wip(world: World) -> dict[str, str]:
    return world.clone(AGENT).vault.refs("refs/wip")


def test_done_work_is_handed_in_with_trailers_checked_and_reported(world: World) -> None:
    command = "echo 'y = 2' > new.py; echo noise > ignored.log; echo 'added y'"
    work = delivered(assigned(world, "cat new.py app.py", "exit 3"))
    outcome = handle(driver(world, command), work)
    (evidence,) = bodies(outcome, EvidenceSubmitted)
    assert evidence.head is not None
    assert evidence.notes == "added y"
    assert evidence.files == ("new.py",)
    assert [(result.command, result.exit_code) for result in evidence.commands] == [
        ("cat new.py app.py", 0),
        ("exit 3", 3),
    ]
    assert evidence.commands[0].tail == "y = 2\nx = 1\n"
    vault = world.clone(AGENT).vault
    assert vault.refs("refs/handin") == {"refs/handin/r1/T-1/1": evidence.head}
    assert set(files_of(world, evidence.head)) == {".gitignore", "app.py", "new.py"}
    (commit,) = vault.commits(evidence.head, since=world.base, trailers=("Task", "Task-Key", "Agent", "Attempt"))
    assert commit.subject == "api: Add a /health endpoint"
    assert commit.parents == (world.base,)
    assert commit.trailers == {"Task": ("T-1",), "Task-Key": ("driver-1/health",), "Agent": (AGENT,), "Attempt": ("1",)}
    assert [type(draft.body) for draft in work.emitted] == [TaskAccepted, FeedbackLogged]
    assert work.emitted[0].body == TaskAccepted(direction=assigned(world).briefing.version)
    said = entry(outcome)
    assert (said.log, said.entry, said.title, said.text) == (AGENT, "evidence", "Add a /health endpoint", "added y")
    assert said.facts[0] == f"commit `{evidence.head[:7]}` on `driver-1/work`, 1 file: `new.py`"
    assert said.facts[2].startswith("`exit 3` -> 3 in ")


def test_what_checks_leave_in_the_clone_is_no_part_of_the_work(world: World) -> None:
    outcome = handle(driver(world, "echo 'y = 2' > new.py"), delivered(assigned(world, "echo z > left.py; rm new.py")))
    (evidence,) = bodies(outcome, EvidenceSubmitted)
    assert evidence.head is not None
    assert set(files_of(world, evidence.head)) == {".gitignore", "app.py", "new.py"}


def test_work_that_changes_nothing_gives_its_commands_as_evidence(world: World) -> None:
    outcome = handle(driver(world, "echo measured"), delivered(assigned(world, "echo 12 ms")))
    (evidence,) = bodies(outcome, EvidenceSubmitted)
    assert (evidence.head, evidence.files, evidence.notes) == (None, (), "measured")
    assert [result.tail for result in evidence.commands] == ["12 ms\n"]
    assert entry(outcome).facts[0] == "no commit: nothing was changed"
    assert wip(world) == {}


def test_a_blocker_keeps_the_work_and_the_next_attempt_starts_from_it(world: World) -> None:
    blocked = """echo half > half.py; echo '{"status": "blocked", "blocker": {"what": "no key", "tried": "env", "needs": "a key"}}'"""
    outcome = handle(driver(world, blocked), delivered(assigned(world)))
    (blocker,) = bodies(outcome, BlockerRaised)
    assert (blocker.what, blocker.tried, blocker.needs, blocker.severity) == ("no key", "env", "a key", "major")
    assert blocker.head is not None
    assert wip(world) == {"refs/wip/r1/T-1/1": blocker.head}
    assert files_of(world, blocker.head)["half.py"] == b"half\n"
    assert entry(outcome).facts == (
        "blocked by: no key",
        "tried: env",
        "needs: a key",
        f"work so far: `{blocker.head[:7]}`",
    )

    handle(driver(world, "echo other > other.py"), delivered(assigned(world), task="T-2"))
    note = Note(source="answer", text="Question: key?\nAnswer: K")
    rest = """python3 -c 'import json, sys; print(json.load(sys.stdin)["notes"][0]["text"])' >> half.py"""
    resumed = delivered(assigned(world, start=blocker.head, notes=(note,)), attempt=2)
    (evidence,) = bodies(handle(driver(world, rest), resumed), EvidenceSubmitted)
    assert evidence.head is not None
    assert files_of(world, evidence.head)["half.py"] == b"half\nQuestion: key?\nAnswer: K\n"
    assert "other.py" not in files_of(world, evidence.head)
    assert entry_of(resumed).facts[-1] == "learnt from answer: Question: key?"


def entry_of(work: Delivered) -> FeedbackLogged:
    (found,) = (draft.body for draft in work.emitted if isinstance(draft.body, FeedbackLogged))
    return found


def test_a_question_parks_the_attempt(world: World) -> None:
    command = """echo '{"status": "asked", "question": {"text": "Which?", "options": ["A", "B"]}}'"""
    outcome = handle(driver(world, command), delivered(assigned(world)))
    (question,) = bodies(outcome, QuestionAsked)
    assert (question.text, question.options, question.head) == ("Which?", ("A", "B"), None)
    assert entry(outcome).entry == "question"
    assert entry(outcome).facts == ("question: Which?", "options: A, B", "work so far: nothing changed")


@pytest.mark.parametrize(
    ("command", "timeout_s", "why"),
    [
        ("echo half > half.py; echo oops >&2; exit 4", 30.0, "exited 4"),
        ("echo half > half.py; sleep 300", 2.0, "stopped at its time limit of 2 s"),
        ('echo half > half.py; echo \'{"status": "failed", "notes": "no idea"}\'', 30.0, "no idea"),
    ],
)
def test_a_failed_attempt_keeps_the_work(world: World, command: str, timeout_s: float, why: str) -> None:
    outcome = handle(driver(world, command, timeout_s=timeout_s), delivered(assigned(world)))
    (failed,) = bodies(outcome, AttemptFailed)
    assert failed.reason.startswith(why)
    assert failed.head is not None
    assert files_of(world, failed.head)["half.py"] == b"half\n"
    assert entry(outcome).title == "Add a /health endpoint: the attempt failed"


class BrokenBrain:
    """A brain without a transcript."""

    async def work(self, job: Job, report: Report) -> Result:
        raise BrainError("no transcript of driver-1; record one")


def test_a_brain_that_gives_nothing_fails_the_attempt_with_its_sentence(world: World) -> None:
    handler = DriverHandler(Post(world.seat(AGENT), world.clone(AGENT)), BrokenBrain())
    (failed,) = bodies(handle(handler, delivered(assigned(world))), AttemptFailed)
    assert failed == AttemptFailed(reason="no transcript of driver-1; record one")


class TiredBrain:
    """Leaves half of it, then cannot think any more."""

    def __init__(self, error: BrainError) -> None:
        self._error = error

    async def work(self, job: Job, report: Report) -> Result:
        (job.seat.cwd / "half.py").write_text("half\n")
        raise self._error


@pytest.mark.parametrize(
    ("error", "cause", "until"),
    [
        (BrainParked("429 from big", cause="rate_limit", until=NOW), "rate_limit", NOW),
        (BrainParked("no answer from big, small", cause="provider"), "provider", None),
        (
            BudgetSpent("driver-1 has no tokens left", scope="agent:driver-1", what="tokens", used=9, cap=9),
            "budget",
            None,
        ),
    ],
    ids=["limit", "outage", "budget"],
)
def test_a_brain_that_cannot_think_now_parks_the_attempt_with_its_work(
    world: World, error: BrainError, cause: str, until: datetime | None
) -> None:
    handler = DriverHandler(Post(world.seat(AGENT), world.clone(AGENT)), TiredBrain(error))
    outcome = handle(handler, delivered(assigned(world)))
    (parked,) = bodies(outcome, AttemptParked)
    assert (parked.cause, parked.detail, parked.until) == (cause, str(error), until)
    assert parked.head is not None
    assert files_of(world, parked.head)["half.py"] == b"half\n"
    assert entry(outcome).title == "Add a /health endpoint: parked"


def test_a_start_that_does_not_exist_fails_the_attempt_and_leaves_earlier_work_alone(world: World) -> None:
    handle(driver(world, "echo mine > mine.py; exit 1"), delivered(assigned(world), task="T-0"))
    (world.layout.clone(AGENT) / "later.py").write_text("later")
    before = wip(world)
    outcome = handle(driver(world, "true"), delivered(assigned(world, start="1" * 40)))
    (failed,) = bodies(outcome, AttemptFailed)
    assert "1111111" in failed.reason
    assert failed.head is None
    assert wip(world) == before
    assert (world.layout.clone(AGENT) / "later.py").exists()


# --- redelivery ---------------------------------------------------------------------------------


def test_a_second_delivery_keeps_what_the_first_left_and_does_the_work_again(world: World) -> None:
    """The first died after its hand-in, before its outcome was committed."""
    message = assigned(world, "true")
    first = handle(driver(world, "echo first > new.py"), delivered(message))
    (lost,) = bodies(first, EvidenceSubmitted)
    work = delivered(message, deliveries=2)
    (evidence,) = bodies(handle(driver(world, "echo second > new.py"), work), EvidenceSubmitted)
    assert lost.head is not None
    assert evidence.head is not None
    assert files_of(world, evidence.head)["new.py"] == b"second\n"
    vault = world.clone(AGENT).vault
    assert vault.refs("refs/handin") == {"refs/handin/r1/T-1/1": evidence.head}
    assert lost.head in wip(world).values()
    assert entry_of(work).facts[0].endswith("taken up again after an interruption (delivery 2)")
    assert "interruption" not in entry_of(delivered_first(world)).facts[0]


def delivered_first(world: World) -> Delivered:
    work = delivered(assigned(world), task="T-9")
    handle(driver(world, "true"), work)
    return work


def test_the_same_work_twice_is_the_same_commit(world: World) -> None:
    heads = []
    for deliveries in (1, 2):
        outcome = handle(driver(world, "echo same > new.py"), delivered(assigned(world), deliveries=deliveries))
        heads += [evidence.head for evidence in bodies(outcome, EvidenceSubmitted)]
    assert heads[0] == heads[1]


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - another process makes it happen
            await asyncio.sleep(0.01)


# --- notices and stopping -----------------------------------------------------------------------


def test_work_and_notices_have_lanes_of_their_own(world: World) -> None:
    handler = driver(world, "true")
    assert handler.lane(delivered(assigned(world)).envelope) == "work"
    assert handler.lane(delivered(TaskCancelled(reason="x")).envelope) == "notice"
    assert handler.lane(delivered(AnswerGiven(question="?", text="!")).envelope) == "notice"


def test_a_notice_is_logged(world: World) -> None:
    outcome = handle(driver(world, "true"), delivered(AnswerGiven(question="Which?", text="A")))
    assert entry(outcome).facts == ("question: Which?", "answer: A")


def test_what_no_driver_handles_is_rejected(world: World) -> None:
    with pytest.raises(Reject):
        handle(driver(world, "true"), delivered(TaskAccepted()))


def test_a_cancelled_task_stops_at_once_and_keeps_its_work(world: World, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"echo half > half.py; (setsid sh -c 'echo $$ >> {pids}; sleep 300' &); echo $$ >> {pids}; echo up >&2; sleep 300"

    async def scenario() -> tuple[Outcome, Outcome]:
        handler = driver(world, command)
        work = delivered(assigned(world))
        running = asyncio.create_task(handler.handle(work))
        await work.until(TaskProgressed)
        await until(lambda: len(pids.read_text().split()) == 2)
        notice = await handler.handle(delivered(TaskCancelled(reason="cancelled by a person")))
        assert running.done()  # the notice is not acknowledged before the work is kept
        return await running, notice

    outcome, notice = asyncio.run(scenario())
    (kept,) = wip(world).values()
    assert files_of(world, kept)["half.py"] == b"half\n"
    assert [draft.recipient for draft in outcome.messages] == ["manager", "journal"]
    assert outcome.messages[0].body == AttemptStopped(head=kept)
    assert entry(outcome).facts == ("stopped: cancelled by a person", f"work so far: `{kept[:7]}`")
    assert entry(notice).title == "cancelled"
    assert not [pid for pid in map(int, pids.read_text().split()) if psutil.pid_exists(pid)]


def test_a_cancelled_task_stops_in_the_middle_of_its_checks(world: World, tmp_path: Path) -> None:
    up = tmp_path / "up"

    async def scenario() -> Outcome:
        handler = driver(world, "echo new > new.py")
        running = asyncio.create_task(handler.handle(delivered(assigned(world, f"echo > {up}; sleep 300"))))
        await until(up.exists)
        await handler.handle(delivered(TaskCancelled(reason="enough")))
        return await running

    outcome = asyncio.run(scenario())
    assert entry(outcome).facts[0] == "stopped: enough"
    assert list(bodies(outcome, EvidenceSubmitted)) == []


def test_a_task_cancelled_before_its_turn_is_never_begun(world: World) -> None:
    handler = driver(world, "touch begun.py")
    handle(driver(world, "echo mine > mine.py; exit 1"), delivered(assigned(world), task="T-0"))

    async def scenario() -> Outcome:
        await handler.handle(delivered(TaskCancelled(reason="changed my mind")))
        return await handler.handle(delivered(assigned(world)))

    outcome = asyncio.run(scenario())
    assert entry(outcome).facts == ("stopped: changed my mind", "work so far: nothing changed")
    assert not (world.layout.clone(AGENT) / "begun.py").exists()
    assert (world.layout.clone(AGENT) / "mine.py").exists()  # nor is the clone made ready for it
    assert list(wip(world)) == ["refs/wip/r1/T-0/1"]


def test_a_cancelled_attempt_does_not_stop_the_next_one(world: World) -> None:
    handler = driver(world, "echo new > new.py")

    async def scenario() -> Outcome:
        await handler.handle(delivered(TaskCancelled(reason="requeued")))
        return await handler.handle(delivered(assigned(world), attempt=2))

    assert list(bodies(asyncio.run(scenario()), EvidenceSubmitted))


def test_a_lost_lease_stops_the_brain_with_its_tree(world: World, tmp_path: Path) -> None:
    pid = tmp_path / "pid"

    class Lost(Delivered):
        async def emit(self, *drafts: Draft) -> None:
            if any(isinstance(draft.body, TaskProgressed) for draft in drafts):
                raise LeaseLost("somebody else holds it")

    work = Lost(assigned(world), recipient=AGENT)
    with pytest.raises(LeaseLost):
        asyncio.run(driver(world, f"echo $$ > {pid}; echo up >&2; exec sleep 300", timeout_s=300).handle(work))
    assert not psutil.pid_exists(int(pid.read_text()))


# --- setup --------------------------------------------------------------------------------------


def test_setup_runs_again_when_its_inputs_changed_or_the_last_attempt_was_red(world: World, tmp_path: Path) -> None:
    log = tmp_path / "setup"
    setup = Setup((f"echo run >> {log}; touch ready.log",), ("needs.txt",))
    for task, command, runs in (
        ("T-1", "test -f ready.log", 1),
        ("T-2", "test -f ready.log", 1),
        ("T-3", "test -f ready.log && echo dep >> needs.txt", 2),
        ("T-4", "rm ready.log", 3),
        ("T-5", "true", 3),
        ("T-6", "true", 4),
    ):
        check = "true" if task == "T-4" else "test -f ready.log"
        outcome = handle(driver(world, command, setup=setup), delivered(assigned(world, check), task=task))
        (evidence,) = bodies(outcome, EvidenceSubmitted)
        assert [result.exit_code for result in evidence.commands] == ([1] if task == "T-5" else [0]), task
        assert len(log.read_text().splitlines()) == runs, task


def test_a_failing_setup_is_told_to_the_brain_and_is_part_of_the_evidence(world: World) -> None:
    command = "python3 -c " + shlex.quote("import json, sys; print(json.load(sys.stdin)['notes'][0]['text'])")
    setup = Setup(("echo no network; exit 7", "touch never.log"))
    (evidence,) = bodies(
        handle(driver(world, command, setup=setup), delivered(assigned(world, "true"))), EvidenceSubmitted
    )
    assert evidence.notes.startswith("setup `echo no network; exit 7` ended with exit code 7")
    assert [(result.command, result.exit_code) for result in evidence.commands] == [
        ("echo no network; exit 7", 7),
        ("true", 0),
    ]
    assert not (world.layout.clone(AGENT) / "never.log").exists()


def test_what_setup_makes_is_no_part_of_the_work(world: World) -> None:
    setup = Setup(("mkdir -p made; touch made/by-setup.py",))
    outcome = handle(driver(world, "touch made/by-brain.py; touch own.py", setup=setup), delivered(assigned(world)))
    (evidence,) = bodies(outcome, EvidenceSubmitted)
    assert evidence.files == ("own.py",)


# --- what a brain may leave in its clone ----------------------------------------------------------


def test_planted_git_settings_run_nothing_and_stray_branches_are_reported(world: World, tmp_path: Path) -> None:
    owned = tmp_path / "owned"
    command = (
        f"printf '#!/bin/sh\\ntouch {owned}\\n' > .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit;"
        f"git config filter.x.clean 'touch {owned}; cat'; git config core.fsmonitor 'touch {owned}';"
        "printf '*.py filter=x\\n' > .gitattributes; git config gpg.program 'false'; echo 'z = 3' > z.py; git branch stray"
    )
    outcome = handle(driver(world, "mkdir -p .git/hooks; " + command), delivered(assigned(world)))
    (evidence,) = bodies(outcome, EvidenceSubmitted)
    assert evidence.head is not None
    assert files_of(world, evidence.head)["z.py"] == b"z = 3\n"
    assert not owned.exists()
    assert "in no commit: `refs/heads/stray`" in entry(outcome).facts
    # with the wall away, the same settings do run: a git that trusts the clone's own `.git`
    subprocess.run(["git", "add", "z.py"], cwd=world.layout.clone(AGENT), check=True)
    assert owned.exists()
