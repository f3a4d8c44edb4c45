"""A run that only people can move is paused for that, and runs again with what they do."""

from __future__ import annotations

import pytest
from desk_board import ROSTER, Desk, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import Board, RunDoc
from callboard.bus.messages import MinutePassed
from callboard.bus.task import Permit


def stands(desk: Desk) -> tuple[str, str, bool]:
    return desk.run.state, desk.run.reason, desk.run.waits


def waits(desk: Desk, reason: str) -> None:
    assert (stands(desk), outlook(desk.board)) == (("paused", reason, True), "people")


def runs(desk: Desk) -> None:
    assert (stands(desk), outlook(desk.board)) == (("running", "", False), "moving")


def test_while_others_work_a_question_pauses_nothing() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.ask("T-1")
    runs(desk)


def test_a_question_that_holds_up_all_that_is_left_pauses_the_run_until_its_answer() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", depends_on=("driver-1/one",)))
    heard = desk.ask("T-1")
    waits(desk, "question")
    assert desk.run.detail == "q-1 (T-1) waits for people"
    assert any("run paused: question" in entry for entry in heard.logged)
    heard = desk.person("answer", question="q-1", text="that one")
    runs(desk)
    assert desk.run.detail == ""
    assert desk.states["T-1"] == "assigned"
    assert any("run goes on" in entry for entry in heard.logged)


def test_the_pause_is_said_once_however_much_is_heard_meanwhile() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.blocked("T-1")
    heard = desk.hear(MinutePassed(), "manager")
    waits(desk, "question")
    assert not [entry for entry in heard.logged if "run " in entry]


def test_an_approval_pauses_it_as_one() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    permit = Permit(rule="document", path="docs/new.md")
    desk.gate("T-1", "approval", permits=(permit,), tree="", gate_hash="", commands=(), files=())
    waits(desk, "approval")
    desk.person("answer", question="q-1", text="yes")
    runs(desk)


def test_of_several_the_oldest_question_says_why_and_all_are_named() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.ask("T-2")
    desk.blocked("T-1")
    waits(desk, "question")
    assert desk.run.detail == "q-1 (T-2), q-2 (T-1) wait for people"
    desk.person("answer", question="q-1", text="x")
    runs(desk)


def test_without_a_driver_that_is_there_it_waits_for_the_next_launch() -> None:
    desk = Desk(started=False)
    desk.directions(spec("one"))
    desk.down("driver-1", "driver-2")
    waits(desk, "environment")
    desk.launch()
    runs(desk)


def test_a_person_can_pause_a_run_that_waits_and_resume_gives_it_back_to_its_question() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.ask("T-1")
    assert desk.person("pause").reply.ok
    assert stands(desk) == ("paused", "operator", False)
    desk.person("answer", question="q-1", text="x")
    assert (stands(desk), desk.states) == (("paused", "operator", False), {"T-1": "queued"})
    assert desk.person("resume").reply.ok
    runs(desk)


def test_resume_does_not_stand_for_an_answer() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.ask("T-1")
    reply = desk.person("resume").reply
    assert (reply.ok, reply.text) == (
        False,
        "nobody paused the run: q-1 (T-1) waits for people (`callboard status`)",
    )
    waits(desk, "question")


def test_a_run_can_be_cancelled_while_it_waits() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.ask("T-1")
    desk.person("cancel", task="run")
    assert stands(desk) == ("cancelled", "operator", False)


@pytest.mark.parametrize("state", ["running", "paused"])
def test_a_board_from_before_loads_and_learns_it_with_its_next_message(state: str) -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.ask("T-1")
    old = desk.run.model_dump(exclude={"waits"}) | {"state": state, "reason": "operator" if state == "paused" else ""}
    desk.board = Board({**desk.board.docs, "run": RunDoc.model_validate(old)})
    desk.launch(ROSTER)
    desk.directions(spec("one"))
    assert stands(desk) == (("paused", "question", True) if state == "running" else ("paused", "operator", False))
