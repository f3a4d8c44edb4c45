"""A driver with a real clone, real git and real programs; only the bus is not there."""

from __future__ import annotations

from datetime import datetime

import pytest
from agent_world import NOW, Delivered, World, bodies, entry
from driver_desk import AGENT, assigned, delivered, driver, files_of, handle, wip

from callboard.agents.brains.brain import Job, Report, Result
from callboard.agents.driver.handler import DriverHandler
from callboard.agents.driver.task_run import Post
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent
from callboard.bus.messages import (
    AttemptFailed,
    AttemptParked,
    BlockerRaised,
    EvidenceSubmitted,
    FeedbackLogged,
    QuestionAsked,
    TaskAccepted,
)
from callboard.bus.task import Note


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
    assert entry_of(resumed).facts[-1] == "learnt from answer: Question: key? / Answer: K"


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
        ("echo half > half.py; sleep 300", 5.0, "stopped at its time limit of 5 s"),
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
