"""What only a person lets through intake: the task waits for a yes or a no, and nobody else waits with it."""

from __future__ import annotations

from desk_board import Desk, Heard, sha, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.messages import (
    AnswerGiven,
    ApprovalRequested,
    GateRequested,
    HandInRefused,
    PinRequested,
    TaskAssigned,
)
from callboard.bus.task import Permit

DOCUMENT = Permit(rule="document", path="docs/new.md")
CI = Permit(rule="ci", path=".github/ci.yml", blob="b" * 40)


def asking(*titles: str) -> tuple[Desk, Heard]:
    """A desk whose first task handed in what a person has to permit."""
    desk = Desk()
    desk.directions(*(spec(title) for title in titles or ("one",)))
    desk.hand_in("T-1")
    return desk, desk.gate("T-1", "approval", permits=(DOCUMENT, CI), tree="", gate_hash="", commands=(), files=())


def test_the_manager_asks_a_person_and_tells_the_driver() -> None:
    desk, heard = asking()
    question = desk.question("q-1")
    assert (question.state, question.options, question.default) == ("open", ("yes", "no"), "")
    assert question.may_answer == ("person",)
    assert question.permits == (DOCUMENT, CI)
    for words in ("`docs/new.md`", "`.github/ci.yml`", f"show {sha('T-1 work')[:12]}", "driver-1.git"):
        assert words in question.text
    told = heard.one(ApprovalRequested)
    assert (told.question, told.text, told.permits) == ("q-1", question.text, question.permits)
    assert any("q-1" in entry and question.text in entry for entry in heard.logged)
    task = desk.task("T-1")
    assert (task.state, task.question, task.head) == ("blocked", "q-1", sha("T-1 work"))
    assert task.spent == 0
    assert outlook(desk.board) == "people"


def test_its_driver_goes_on_with_the_next_task_meanwhile() -> None:
    desk, _ = asking("one", "two")
    assert desk.states == {"T-1": "blocked", "T-2": "assigned"}
    assert outlook(desk.board) == "moving"


def test_a_yes_sends_the_same_hand_in_through_intake_with_these_paths_permitted() -> None:
    desk, _ = asking()
    heard = desk.person("answer", question="q-1", text="yes")
    request = heard.one(GateRequested)
    assert (request.commit, request.permits) == (sha("T-1 work"), (DOCUMENT, CI))
    assert desk.task("T-1").permits == (DOCUMENT, CI)
    assert desk.states == {"T-1": "gate"}
    assert heard.reply.ok
    assert heard.one(AnswerGiven).text == "yes"
    desk.gate("T-1")
    assert desk.states == {"T-1": "review"}


def test_what_was_permitted_holds_for_later_attempts() -> None:
    desk, _ = asking()
    desk.person("answer", question="q-1", text="yes")
    desk.gate("T-1", "red")
    assert desk.task("T-1").attempt == 2
    assert desk.hand_in("T-1", "again").one(GateRequested).permits == (DOCUMENT, CI)


def test_a_no_refuses_it_like_any_other_rule() -> None:
    desk, _ = asking()
    heard = desk.person("answer", question="q-1", text="no")
    refused = heard.one(HandInRefused)
    assert (refused.rule, refused.path) == ("document", "docs/new.md")
    assert "a person said no" in refused.way_out
    assert "`.github/ci.yml`" in refused.way_out
    task = desk.task("T-1")
    assert (task.attempt, task.spent, task.permits, task.question) == (2, 1, (), "")
    assert "rule document" in task.notes[-1].text
    assert heard.one(TaskAssigned).notes == task.notes
    assert desk.run.intake_refusals == 1
    assert not heard.of(GateRequested)
    assert not heard.of(PinRequested)


def test_anything_but_yes_or_no_is_no_answer() -> None:
    desk, _ = asking()
    reply = desk.person("answer", question="q-1", text="yes please").reply
    assert (reply.ok, reply.text) == (False, "q-1 takes one of: yes, no")
    assert desk.states == {"T-1": "blocked"}


def test_a_late_answer_is_refused_with_the_reason() -> None:
    desk, _ = asking()
    desk.person("answer", question="q-1", text="no")
    reply = desk.person("answer", question="q-1", text="yes").reply
    assert (reply.ok, reply.text) == (False, "q-1 is closed: it was answered at 2026-03-02 12:00:00Z: 'no'")
    assert desk.task("T-1").permits == ()
    desk, _ = asking()
    desk.person("cancel", task="T-1")
    reply = desk.person("answer", question="q-1", text="yes").reply
    assert (reply.ok, reply.text) == (False, "q-1 is closed: T-1 is cancelled: cancelled by a person")
    assert desk.states == {"T-1": "cancelled"}


def test_only_those_who_are_asked_can_answer() -> None:
    desk, _ = asking()
    question = desk.question("q-1").model_copy(update={"may_answer": ("somebody-else",)})
    desk.board = type(desk.board)({**desk.board.docs, "question:q-1": question})
    reply = desk.person("answer", question="q-1", text="yes").reply
    assert not reply.ok
    assert reply.text.startswith("q-1 can be answered by somebody-else alone, and this did not say who it comes from")


def test_days_a_new_launch_and_a_changed_roster_do_not_matter() -> None:
    desk, _ = asking()
    desk.launch({"manager": "manager", "driver-2": "driver", "senior": "reviewer"})
    assert desk.question("q-1").state == "open"
    assert desk.person("answer", question="q-1", text="yes").one(GateRequested).agent == "driver-1"
