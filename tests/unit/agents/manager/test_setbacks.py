"""Blockers, questions, failed attempts: the task parks, the agent goes on, and what was learnt comes back with the task."""

from __future__ import annotations

import pytest
from desk_board import Desk, sha, spec

from callboard.bus.messages import (
    AnswerGiven,
    AttemptFailed,
    BlockerRaised,
    BlockerResolved,
    ChangesRequested,
    EvidenceSubmitted,
    PinRequested,
    QuestionAsked,
    TaskAccepted,
    TaskAssigned,
    TaskClosed,
)


def two_tasks() -> Desk:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    return desk


def test_a_blocker_never_stops_an_agent() -> None:
    desk = two_tasks()
    heard = desk.blocked("T-1", "no key")
    assert desk.states == {"T-1": "blocked", "T-2": "assigned"}
    assert heard.one(TaskAssigned).spec.title == "two"
    assert any("blocks: no key" in text for text in heard.logged)


def test_a_blocker_is_a_question_to_a_person_at_once() -> None:
    desk = two_tasks()
    desk.blocked("T-1", "no key")
    blocker, question = desk.blocker("B-1"), desk.question("q-1")
    assert (blocker.task, blocker.agent, blocker.state, blocker.question) == ("T-1", "driver-1", "open", "q-1")
    assert question.text == "T-1 is blocked: no key. It needs: a key"


def test_the_answer_brings_the_task_back_before_new_work_with_question_and_answer() -> None:
    desk = two_tasks()
    desk.blocked("T-1", head=sha("half"))
    heard = desk.person("answer", question="q-1", text="it is 42")
    assert heard.one(BlockerResolved) == BlockerResolved(blocker="no key", answer="it is 42")
    assert desk.states["T-1"] == "queued"
    body = desk.hand_in("T-2").one(TaskAssigned)
    assert (body.spec.title, body.start) == ("one", sha("half"))
    assert [(note.source, note.text) for note in body.notes] == [
        ("answer", "Question: T-1 is blocked: no key. It needs: a key\nAnswer: it is 42")
    ]


def test_a_blocker_and_a_question_cost_no_attempt() -> None:
    desk = two_tasks()
    desk.blocked("T-1")
    desk.person("answer", question="q-1", text="x")
    desk.hand_in("T-2")
    desk.ask("T-1")
    assert (desk.task("T-1").attempt, desk.task("T-1").spent) == (2, 0)


def test_unfinished_work_is_imported_and_pinned() -> None:
    desk = two_tasks()
    heard = desk.blocked("T-1", head=sha("half"))
    assert heard.to("gate") == [PinRequested(agent="driver-1", base=desk.task("T-1").base, commit=sha("half"))]
    assert desk.task("T-1").pin == sha("half")


def test_without_new_work_the_earlier_pin_stays() -> None:
    desk = two_tasks()
    desk.blocked("T-1", head=sha("half"))
    desk.person("answer", question="q-1", text="x")
    desk.hand_in("T-2")
    heard = desk.blocked("T-1")
    assert heard.of(PinRequested) == []
    assert desk.task("T-1").pin == sha("half")


def test_a_question_parks_the_task_until_one_of_its_options_is_chosen() -> None:
    desk = two_tasks()
    desk.ask("T-1", "which?", ("red", "green"))
    assert desk.states == {"T-1": "blocked", "T-2": "assigned"}
    refused = desk.person("answer", question="q-1", text="blue").reply
    assert (refused.ok, refused.text) == (False, "q-1 takes one of: red, green")
    heard = desk.person("answer", question="q-1", text="red")
    assert heard.reply.ok
    assert heard.one(AnswerGiven) == AnswerGiven(question="which?", text="red")
    assert desk.states["T-1"] == "queued"


def test_a_late_answer_is_refused_with_the_reason() -> None:
    desk = two_tasks()
    desk.ask("T-1")
    desk.person("answer", question="q-1", text="first")
    board = desk.board
    refused = desk.person("answer", question="q-1", text="second").reply
    assert (refused.ok, refused.text) == (False, "q-1 is closed: it was answered at 2026-03-02 12:00:00Z: 'first'")
    assert desk.board.docs == board.docs


def test_an_answer_to_a_task_that_has_ended_is_refused() -> None:
    desk = two_tasks()
    desk.ask("T-1")
    desk.person("cancel", task="T-1")
    assert desk.question("q-1").state == "closed"
    refused = desk.person("answer", question="q-1", text="x").reply
    assert (refused.ok, refused.text) == (False, "q-1 is closed: T-1 is cancelled: cancelled by a person")
    assert desk.states["T-1"] == "cancelled"


def test_an_answer_to_nothing_is_refused() -> None:
    refused = two_tasks().person("answer", question="q-9", text="x").reply
    assert (refused.ok, refused.text) == (False, "no question 'q-9'; `callboard questions` lists the open ones")


def test_a_task_may_be_blocked_again_and_each_blocker_is_a_question_of_its_own() -> None:
    desk = two_tasks()
    desk.blocked("T-1", "no key")
    desk.person("answer", question="q-1", text="x")
    desk.blocked("T-2", "no lock")
    desk.blocked("T-1", "no door")
    assert [desk.blocker(f"B-{n}").what for n in (1, 2, 3)] == ["no key", "no lock", "no door"]
    assert [desk.question(f"q-{n}").state for n in (1, 2, 3)] == ["answered", "open", "open"]


def test_a_failed_attempt_comes_again_at_once_with_its_reason() -> None:
    desk = two_tasks()
    body = desk.fail("T-1", "the brain broke", head=sha("half")).one(TaskAssigned)
    assert (body.spec.title, body.start) == ("one", sha("half"))
    assert [(note.source, note.text) for note in body.notes] == [("driver", "the brain broke")]
    assert (desk.task("T-1").attempt, desk.task("T-1").spent) == (2, 1)


def test_a_task_has_failed_when_its_attempts_are_spent_and_its_agent_hears_it() -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 2}), spec("two", "driver-2"))
    desk.fail("T-1", "first")
    heard = desk.fail("T-1", "second")
    assert desk.states["T-1"] == "failed"
    reason = "2 attempts spent; the last: the attempt failed: second"
    assert desk.task("T-1").reason == reason
    assert TaskClosed(state="failed", reason=reason) in heard.to("driver-1")


@pytest.mark.parametrize("source", ["gate", "review"])
def test_work_that_is_sent_back_spends_an_attempt_and_its_agent_hears_why(source: str) -> None:
    desk = two_tasks()
    desk.hand_in("T-1")
    if source == "gate":
        heard = desk.gate("T-1", "red")
    else:
        desk.gate("T-1")
        heard = desk.refuse("T-1")
    [told] = [body for body in heard.to("driver-1") if isinstance(body, ChangesRequested)]
    assert told.source == source
    assert (desk.task("T-1").spent, desk.task("T-1").notes[0].source) == (1, source)
    assert desk.task("T-1").pin == desk.task("T-1").head


def test_what_an_agent_says_about_an_attempt_it_no_longer_holds_is_only_written_down() -> None:
    desk = two_tasks()
    desk.fail("T-1")
    before = desk.board.docs
    heard = desk.hear(EvidenceSubmitted(head=sha("late")), "driver-1", "T-1", attempt=1)
    assert heard.refusal == "driver-1 does not hold attempt 1 of T-1 now"
    assert desk.board.docs == before


def test_the_same_evidence_twice_counts_once() -> None:
    desk = two_tasks()
    desk.hand_in("T-1")
    before = desk.board.docs
    assert desk.hand_in("T-1").refusal == "driver-1 does not hold attempt 1 of T-1 now"
    assert desk.board.docs == before


def test_evidence_for_a_task_that_was_cancelled_meanwhile_counts_for_nothing() -> None:
    desk = two_tasks()
    desk.person("cancel", task="T-1")
    assert desk.hand_in("T-1").refusal == "driver-1 does not hold attempt 1 of T-1 now"
    assert desk.states["T-1"] == "cancelled"


def test_nobody_speaks_for_a_task_that_another_agent_holds() -> None:
    desk = two_tasks()
    before = desk.board.docs
    for body in (
        EvidenceSubmitted(head=sha("x")),
        BlockerRaised(what="x"),
        QuestionAsked(text="x"),
        AttemptFailed(reason="x"),
        TaskAccepted(),
    ):
        assert "does not hold attempt 1 of T-1" in desk.hear(body, "driver-2", "T-1").refusal
    assert desk.board.docs == before
