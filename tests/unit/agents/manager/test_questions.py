"""What only people can answer: who may, by when, what counts when nobody does, and when nobody needs it any more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk_board import NOON, Desk, Heard, spec

from callboard.agents.manager.asking import Asking
from callboard.agents.manager.outlook import outlook
from callboard.bus.board import Board
from callboard.bus.caps import RUN, Exhausted, Reached
from callboard.bus.messages import AnswerGiven, BudgetReached, CommandGiven, QuestionAsked, TaskAssigned, TimerFired
from callboard.bus.questions import QuestionDoc

ROLES = Asking({"lead": ("Ada Lovelace", "Grace")}, agents=("lead", "linus"), approvals=("lead",), caps=("Grace",))


def asked(desk: Desk | None = None, **values: object) -> Desk:
    """A desk whose first task waits for an answer; the driver is at its next one."""
    desk = desk or Desk()
    desk.directions(spec("one"), spec("two"))
    body = QuestionAsked(text="which?", options=("red", "green")).model_copy(update=values)
    desk.hear(body, "driver-1", "T-1")
    return desk


def late(desk: Desk, question: str = "q-1") -> Heard:
    """The deadline has passed, and the server's clock has said so."""
    return desk.hear(TimerFired(about="question", subject=question), "manager")


def reached(scope: str, used: int, cap: int) -> BudgetReached:
    return BudgetReached(reached=(Reached(scope=scope, what="tokens", used=used, cap=cap),))


# --- by when ---


def test_a_question_has_the_deadline_of_callboard_toml_and_a_timer_for_it() -> None:
    desk = asked(Desk(asking=Asking(within=timedelta(hours=2))))
    assert desk.question("q-1").deadline == NOON + timedelta(hours=2)
    [timer] = desk.timers
    assert (timer.after, timer.draft.body) == (timedelta(hours=2), TimerFired(about="question", subject="q-1"))


def test_a_question_that_was_answered_or_needs_no_answer_leaves_no_timer() -> None:
    desk = asked()
    assert [timer.key for timer in desk.timers] == ["question q-1"]
    desk.person("answer", question="q-1", text="red")
    assert desk.question("q-1").state == "answered"
    assert desk.timers == []
    desk = asked()
    desk.directions(spec("two"))
    desk.person("cancel", task="T-1")
    assert desk.question("q-1").state == "closed"
    assert desk.timers == []


def test_an_agent_may_say_how_long_its_question_waits() -> None:
    desk = asked(within_minutes=90)
    assert desk.question("q-1").deadline == NOON + timedelta(minutes=90)


def test_past_its_deadline_a_question_takes_its_default_and_the_log_says_so() -> None:
    desk = asked(default="green")
    assert desk.states["T-1"] == "blocked"
    heard = late(desk)
    question = desk.question("q-1")
    assert (question.state, question.answer, question.is_default, question.answered_by) == (
        "answered",
        "green",
        True,
        "",
    )
    assert "q-1\nanswer: green\nnobody answered by its deadline: its default\n" in "".join(heard.logged) + "\n"
    assert heard.one(AnswerGiven).text == "green"
    assert desk.states["T-1"] == "queued"
    assert "green" in desk.task("T-1").notes[-1].text


def test_past_its_deadline_a_question_without_default_waits_and_is_overdue() -> None:
    desk = asked()
    heard = late(desk)
    question = desk.question("q-1")
    assert (question.state, question.is_overdue) == ("open", True)
    assert any("q-1 is overdue" in entry for entry in heard.logged)
    assert desk.states["T-1"] == "blocked"
    assert desk.person("answer", question="q-1", text="red").reply.ok
    assert desk.question("q-1").is_overdue is False


def test_the_deadline_of_an_answered_question_changes_nothing() -> None:
    desk = asked(default="green")
    desk.person("answer", question="q-1", text="red")
    before = desk.board.docs
    assert late(desk).outcome.messages == ()
    assert desk.board.docs == before


def test_a_default_that_is_none_of_the_options_is_none() -> None:
    assert asked(default="blue").question("q-1").default == ""


def test_a_blocker_and_an_approval_have_a_deadline_and_no_default() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.blocked("T-1")
    question = desk.question("q-1")
    assert (question.default, question.deadline) == ("", NOON + timedelta(hours=24))


def test_a_question_of_an_earlier_board_has_no_deadline_and_anybody_may_answer() -> None:
    doc = QuestionDoc.model_validate_json('{"version": 3, "id": "q-1", "text": "which?"}')
    assert (doc.deadline, doc.may_answer, doc.is_overdue) == (None, ("person",), False)


# --- who ---


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [("Grace", True), ("ada lovelace", True), ("Linus", True), ("lead", False), ("Bob", False), ("", False)],
)
def test_a_question_is_answered_by_those_who_are_named_or_have_the_role(name: str, is_allowed: bool) -> None:
    desk = asked(Desk(asking=ROLES))
    reply = desk.person("answer", question="q-1", text="red", by=name).reply
    assert reply.ok is is_allowed
    assert desk.question("q-1").answered_by == (name if is_allowed else "")


def test_a_refusal_says_who_may_answer_and_how_to_say_who_one_is() -> None:
    desk = asked(Desk(asking=ROLES))
    reply = desk.person("answer", question="q-1", text="red", by="Bob").reply
    assert reply.text == (
        "q-1 can be answered by lead (Ada Lovelace, Grace) or linus alone, and this came from Bob; "
        "`--as NAME` says who you are"
    )
    assert desk.question("q-1").state == "open"


def test_approvals_and_caps_ask_whom_callboard_toml_names() -> None:
    desk = Desk(asking=ROLES)
    desk.directions(spec("one"))
    desk.hear(reached("task:T-1", 9_000_000, 1_000_000), "manager")
    assert desk.question("q-1").may_answer == ("Grace",)
    assert not desk.person("answer", question="q-1", text="20M", by="Ada Lovelace").reply.ok
    assert desk.person("answer", question="q-1", text="20M", by="grace").reply.ok
    assert desk.question("q-1").answered_by == "grace"


def test_whoever_answers_stands_in_the_log() -> None:
    heard = asked().person("answer", question="q-1", text="red", by="Ada")
    assert any(entry == "T-1 one: q-1\nanswer: red\nby Ada\n" for entry in heard.logged)


# --- what ---


@pytest.mark.parametrize("text", ["red", "RED", " red "])
def test_an_option_is_meant_however_its_letters_are(text: str) -> None:
    desk = asked()
    assert desk.person("answer", question="q-1", text=text).reply.ok
    assert desk.question("q-1").answer == "red"


def test_a_person_may_take_the_default_before_its_deadline() -> None:
    desk = asked(default="green")
    reply = desk.person("answer", question="q-1", takes_default=True, by="Ada").reply
    assert (reply.ok, reply.text) == (True, "q-1 answered: green; T-1 goes on")
    question = desk.question("q-1")
    assert (question.answer, question.is_default, question.answered_by) == ("green", False, "Ada")


def test_a_default_that_is_not_there_cannot_be_taken() -> None:
    reply = asked().person("answer", question="q-1", takes_default=True).reply
    assert (reply.ok, reply.text) == (False, "q-1 has no default; answer it with one of: red, green")


@pytest.mark.parametrize("text", ["", "   "])
def test_an_empty_answer_is_none(text: str) -> None:
    desk = asked(options=())
    assert (
        desk.person("answer", question="q-1", text=text).reply.text
        == "an answer cannot be empty; answer q-1 with a text"
    )


# --- late ---


def test_an_answer_after_the_default_is_refused_with_the_reason() -> None:
    desk = asked(default="green")
    late(desk)
    reply = desk.person("answer", question="q-1", text="red").reply
    assert (reply.ok, reply.text) == (
        False,
        "q-1 is closed: nobody had answered by its deadline, so its default 'green' was taken at 2026-03-02 12:00:00Z",
    )
    assert desk.question("q-1").answer == "green"


def test_the_second_answer_is_refused_and_says_whose_the_first_was() -> None:
    desk = asked()
    desk.person("answer", question="q-1", text="red", by="Ada")
    reply = desk.person("answer", question="q-1", text="green", by="Grace").reply
    assert (reply.ok, reply.text) == (False, "q-1 is closed: Ada answered it at 2026-03-02 12:00:00Z: 'red'")


# --- moot ---


def tier_at_its_cap() -> Desk:
    desk = Desk()
    desk.directions(spec("one", tier="setup"), spec("two"))
    desk.hear(reached("tier:setup", 9_000_000, 3_000_000), "manager")
    assert desk.question("q-1").state == "open"
    return desk


def test_a_question_about_a_tier_is_closed_once_all_its_tasks_have_ended() -> None:
    desk = tier_at_its_cap()
    heard = desk.person("cancel", task="T-1")
    question = desk.question("q-1")
    assert (question.state, question.closed_for) == ("closed", "no open task is left of tier setup")
    assert any("q-1 needs no answer any more\nno open task is left of tier setup" in entry for entry in heard.logged)
    assert "tier:setup" not in desk.board.budget.exhausted


def test_a_cap_whose_question_became_moot_is_asked_about_anew_when_it_is_reached_again() -> None:
    desk = tier_at_its_cap()
    desk.person("cancel", task="T-1")
    desk.directions(spec("two"), spec("three", tier="setup"))
    desk.hear(reached("tier:setup", 9_000_001, 3_000_000), "manager")
    assert desk.question("q-2").state == "open"


def test_a_question_about_an_agent_is_closed_once_nothing_is_left_that_it_could_do() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.hear(reached("agent:driver-1", 9_000_000, 3_000_000), "manager")
    assert desk.question("q-1").state == "open"
    desk.person("cancel", task="T-1")
    assert desk.question("q-1").closed_for == "no open task is left of driver-1"
    assert desk.states["T-2"] == "assigned"


def test_a_question_about_a_reviewer_stays_while_anything_is_open() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.hear(reached("agent:senior", 9_000_000, 3_000_000), "manager")
    desk.person("cancel", task="T-1")
    assert desk.question("q-1").state == "open"
    desk.person("cancel", task="T-2")
    assert desk.question("q-1").state == "closed"


def test_a_run_at_its_cap_whose_last_task_ends_asks_nobody_and_ends() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hear(reached(RUN, 9_000_000, 5_000_000), "manager")
    assert (desk.run.state, outlook(desk.board)) == ("paused", "moving")
    desk.person("cancel", task="T-1")
    assert desk.question("q-1").state == "closed"
    assert (desk.run.state, outlook(desk.board)) == ("succeeded", "ended")


def test_a_question_whose_task_ended_on_an_earlier_board_is_closed_with_the_next_message() -> None:
    desk = asked()
    task = desk.task("T-1").model_copy(update={"state": "failed"})
    desk.board = Board({**desk.board.docs, "task:T-1": task})
    desk.person("resume")
    assert desk.question("q-1").closed_for == "T-1 is failed"


def test_a_cap_that_a_person_stopped_at_stays_so() -> None:
    desk = tier_at_its_cap()
    desk.person("answer", question="q-1", text="stop")
    desk.directions(spec("two"), spec("three", tier="setup"))
    known: Exhausted = desk.board.budget.exhausted["tier:setup"]
    assert known.stopped
    assert desk.states["T-3"] == "failed"


def test_an_agent_goes_on_with_other_tasks_while_a_question_is_open() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    heard = desk.hear(QuestionAsked(text="which?"), "driver-1", "T-1")
    assert heard.one(TaskAssigned).spec.title == "two"


def test_a_command_of_an_earlier_version_says_no_name() -> None:
    command = CommandGiven.model_validate({"command": "answer", "question": "q-1", "text": "red"})
    assert (command.by, command.takes_default) == ("", False)
