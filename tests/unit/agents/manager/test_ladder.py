"""Blockers climb: canon, senior, trio, person; each rung once for a problem."""

from __future__ import annotations

from typing import Any

import pytest
from desk_board import Desk, Heard, spec

from callboard.agents.manager.ladder import MOST_ADVISED
from callboard.agents.manager.outlook import outlook
from callboard.bus.board import ProblemDoc
from callboard.bus.caps import Exhausted
from callboard.bus.messages import (
    AnswerGiven,
    BlockerClimbed,
    BlockerResolved,
    CanonAsked,
    CanonRead,
    ConsultAnswered,
    ConsultRequested,
    DirectionFile,
    DirectionsRead,
    TaskAssigned,
)
from callboard.bus.problems import Advice, Reference
from callboard.bus.task import Briefing

FOUND = Reference(file="docs/api.md", line=3, quote="use K", verified=True)
SURE: dict[str, Any] = {"says": "answer", "text": "use K", "is_sure": True, "references": (FOUND,)}
UNSURE: dict[str, Any] = {"says": "answer", "text": "perhaps K"}


def started(canon: tuple[str, ...] = ()) -> Desk:
    """Both drivers work; driver-1 has a second task."""
    desk = Desk()
    desk.directions(spec("one"), spec("two"), spec("three", "driver-2"))
    if canon:
        specs = tuple(task.task for task in desk.board.tasks())
        files = tuple(
            DirectionFile(
                briefing=Briefing(agent=name, version="2", path=f"directions/{name}.md", canon=canon),
                tasks=tuple(task for task in specs if task.agent == name),
            )
            for name in ("driver-1", "driver-2")
        )
        desk.hear(DirectionsRead(files=files), "manager")
    return desk


def rungs(desk: Desk) -> list[tuple[str, str]]:
    [*_, problem] = desk.board.all(ProblemDoc)
    return [(rung.name, rung.state) for rung in problem.rungs]


def test_a_blocker_asks_the_senior_while_its_agent_goes_on() -> None:
    desk = started()
    heard = desk.raise_blocker("T-1", "no key")
    assert heard.one(TaskAssigned).spec.title == "two"
    asked = heard.one(ConsultRequested)
    assert heard.to("senior") == [asked]
    assert (asked.problem, asked.needs, asked.agent, asked.proposals) == ("no key", "a key", "driver-1", ())
    assert desk.task("T-1").state == "blocked"
    assert (desk.blocker("B-1").question, desk.task("T-1").question) == ("", "")
    assert outlook(desk.board) == "moving"
    assert rungs(desk) == [("canon", "silent"), ("senior", "asked")]
    told = heard.one(BlockerClimbed)
    assert (told.rung, told.facts) == (
        "senior",
        ("canon: its directions name no document as canon", "asks senior"),
    )
    assert any("B-1 is with the senior" in entry and "asks senior" in entry for entry in heard.logged)


def test_a_sure_senior_brings_the_task_back_with_its_answer_as_advice() -> None:
    desk = started()
    desk.raise_blocker("T-1", "no key")
    heard = desk.advise("senior", **SURE)
    assert desk.blocker("B-1").state == "resolved"
    assert (desk.task("T-1").state, desk.task("T-1").blocker, desk.task("T-1").spent) == ("queued", "", 0)
    [note] = desk.task("T-1").notes
    assert note.source == "consult", "not `answer`: only what people say is an order"
    assert "use K" in note.text
    assert "docs/api.md:3" in note.text
    told = heard.one(BlockerResolved)
    assert (heard.to("driver-1")[0], told.by, told.answer) == (told, "senior", "use K")
    assert not list(desk.board.docs.get("question:q-1", ()))
    assert rungs(desk)[-1] == ("senior", "answered")


def test_a_blocker_that_the_canon_answers_asks_nobody() -> None:
    desk = started(canon=("docs/api.md",))
    heard = desk.raise_blocker("T-1", "no key")
    asked = heard.one(CanonAsked)
    assert heard.to("gate") == [asked]
    assert (asked.documents, asked.commit) == (("docs/api.md", "directions/driver-1.md"), desk.run.head)
    assert not heard.of(ConsultRequested)
    answer = CanonRead(consult=asked.consult, passage="## Keys\n\nuse K", reference=FOUND)
    desk.hear(answer, "gate", "T-1")
    assert desk.task("T-1").state == "queued"
    assert [(note.source, "use K" in note.text) for note in desk.task("T-1").notes] == [("canon", True)]
    desk.hear(answer, "gate", "T-1")
    assert len(desk.task("T-1").notes) == 1, "an answer counts once"


def test_a_canon_without_a_passage_passes_to_the_senior_and_says_so() -> None:
    desk = started(canon=("docs/api.md",))
    asked = desk.raise_blocker("T-1").one(CanonAsked)
    heard = desk.hear(CanonRead(consult=asked.consult, unread=("docs/api.md",)), "gate", "T-1")
    assert heard.to("senior")
    assert any("no passage is about it; not there to be read: docs/api.md" in entry for entry in heard.logged)


@pytest.mark.parametrize("said", [{"says": "abstained", "reasons": "exited 1"}, {"says": "answer", "text": " "}])
def test_a_senior_who_says_nothing_that_can_be_read_leaves_it_to_a_person_at_once(said: dict[str, Any]) -> None:
    desk = started()
    desk.raise_blocker("T-1", "no key")
    heard = desk.advise("senior", **said)
    assert not heard.of(ConsultRequested), "three cannot agree without the senior"
    assert desk.question("q-1").text == "T-1 is blocked: no key. It needs: a key"
    assert desk.blocker("B-1").question == desk.task("T-1").question == "q-1"
    assert rungs(desk) == [("canon", "silent"), ("senior", "silent"), ("trio", "silent"), ("person", "asked")]


def trio_asked(desk: Desk) -> Heard:
    desk.raise_blocker("T-1", "no key")
    return desk.advise("senior", **UNSURE)


def test_an_unsure_senior_is_heard_with_the_juniors() -> None:
    desk = started()
    heard = trio_asked(desk)
    assert [heard.to(name) for name in ("senior", "junior-1", "junior-2")] == [
        [],
        heard.of(ConsultRequested)[:1],
        heard.of(ConsultRequested)[1:],
    ]
    assert heard.of(ConsultRequested)[0].proposals == (), "the juniors answer blind"
    assert not desk.advise("junior-1", says="answer", text="no, J").of(ConsultRequested)
    heard = desk.advise("junior-2", says="cannot_say")
    assert {body.proposals for body in heard.of(ConsultRequested)} == {("perhaps K", "no, J")}
    desk.advise("junior-1", says="answer", choice=2)
    desk.advise("senior", says="answer", choice=2)
    assert desk.task("T-1").state == "blocked", "all three are heard, so that no order of answers counts"
    told = desk.advise("junior-2", says="answer", choice=1).one(BlockerResolved)
    assert (told.by, told.answer) == ("trio", "no, J")
    assert desk.task("T-1").state == "queued"


def test_what_the_three_do_not_agree_on_is_a_persons_to_choose_by_its_number() -> None:
    desk = started()
    trio_asked(desk)
    desk.advise("junior-1", says="answer", text="no, J")
    desk.advise("junior-2", says="abstained")
    for name, choice in (("senior", 1), ("junior-1", 2), ("junior-2", 2)):
        desk.advise(name, says="answer", choice=choice)
    assert desk.task("T-1").state == "blocked"
    assert "1. perhaps K\n2. no, J\n" in desk.question("q-1").text
    assert outlook(desk.board) == "moving", "T-2 and T-3 go on"
    heard = desk.person("answer", question="q-1", text="2")
    assert (heard.one(BlockerResolved).by, heard.one(BlockerResolved).answer) == ("person", "no, J")
    assert [(note.source, "Answer: no, J" in note.text) for note in desk.task("T-1").notes] == [("answer", True)]
    assert rungs(desk)[-1] == ("person", "answered")


@pytest.mark.parametrize("text", ["3", "0", "007 or so", "use L", "-1"])
def test_any_other_answer_is_taken_as_it_is(text: str) -> None:
    desk = started()
    trio_asked(desk)
    for name in ("junior-1", "junior-2"):
        desk.advise(name, says="cannot_say")
    for name in ("senior", "junior-1", "junior-2"):
        desk.advise(name, says="cannot_say")
    assert desk.person("answer", question="q-1", text=text).one(BlockerResolved).answer == text


def test_three_who_know_nothing_are_not_asked_to_choose() -> None:
    desk = started()
    desk.raise_blocker("T-1")
    desk.advise("senior", says="cannot_say", reasons="no idea")
    desk.advise("junior-1", says="cannot_say")
    heard = desk.advise("junior-2", says="abstained")
    assert not heard.of(ConsultRequested)
    assert desk.blocker("B-1").question == "q-1"


@pytest.mark.parametrize("silent", [(), ("senior",), ("junior-1",), ("junior-1", "junior-2")])
def test_silence_ends_at_the_deadline_and_counts_as_nothing(silent: tuple[str, ...]) -> None:
    """However many are silent, the ladder goes on, with a timer for each consult."""
    desk = started()
    trio_asked(desk)
    for name in ("junior-1", "junior-2"):
        if name not in silent:
            desk.advise(name, says="answer", text=f"as {name}")
    if silent and "senior" not in silent:
        desk.fire(1)
    assert not desk.blocker("B-1").question
    for name in ("senior", "junior-1", "junior-2"):
        if name not in silent:
            desk.advise(name, says="answer", choice=1)
    while desk.timers:
        desk.fire()
    assert bool(desk.blocker("B-1").question) is (silent in (("senior",), ("junior-1", "junior-2")))
    if silent == ("junior-1",):
        assert desk.blocker("B-1").answer == "perhaps K", "two of three are enough, the senior among them"


def test_a_deadline_of_a_consult_that_was_answered_changes_nothing() -> None:
    desk = started()
    desk.raise_blocker("T-1")
    desk.advise("senior", says="abstained")
    before = desk.board
    desk.fire()
    assert desk.board == before


@pytest.mark.parametrize("who", ["senior", "junior-1"])
def test_an_answer_that_nobody_waits_for_is_refused(who: str) -> None:
    desk = started()
    desk.raise_blocker("T-1")
    sure = ConsultAnswered(consult="B-1.senior", advice=Advice.model_validate(SURE))
    if who == "senior":
        desk.person("cancel", task="T-1")
    heard = desk.hear(sure, who, "T-1")
    assert heard.refusal == f"consult B-1.senior does not wait for {who}"
    assert desk.task("T-1").state == ("cancelled" if who == "senior" else "blocked")


def test_an_unknown_consult_is_refused() -> None:
    desk = started()
    advice = Advice.model_validate(SURE)
    assert "does not wait" in desk.hear(ConsultAnswered(consult="", advice=advice), "senior", "T-1").refusal
    assert "does not wait" in desk.hear(ConsultAnswered(consult="B-9.senior", advice=advice), "senior").refusal


def test_the_same_problem_goes_on_where_it_ended_last_however_it_is_spaced() -> None:
    desk = started()
    desk.raise_blocker("T-1", "no key in 3 places")
    desk.advise("senior", **SURE)
    desk.fail("T-2")
    assert desk.task("T-1").state == "assigned"
    heard = desk.raise_blocker("T-1", "No key  in 12 places")
    assert heard.to("junior-1"), "the senior has said what it knows"
    assert not heard.to("senior")
    for name in ("junior-1", "junior-2"):
        desk.advise(name, says="cannot_say")
    for name in ("senior", "junior-1", "junior-2"):
        desk.advise(name, says="answer", choice=1)
    assert desk.blocker("B-2").answer == "use K", "what the senior said first is among the proposals"
    desk.fail("T-2")
    heard = desk.raise_blocker("T-1", "no key in 0 places")
    assert not heard.of(ConsultRequested)
    assert desk.blocker("B-3").question == "q-1"
    desk.person("answer", question="q-1", text="so")
    desk.fail("T-2")
    desk.raise_blocker("T-1", "no key in 0 places")
    assert desk.blocker("B-4").question == "q-2", "a person is asked however often it comes back"


def test_another_problem_of_the_same_task_begins_below() -> None:
    desk = started()
    desk.blocked("T-1", "no key")
    desk.person("answer", question="q-1", text="so")
    desk.fail("T-2")
    assert desk.raise_blocker("T-1", "no lock").to("senior")


def test_a_task_that_words_its_problem_anew_each_time_reaches_a_person_all_the_same() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    for n in range(MOST_ADVISED):
        assert desk.raise_blocker("T-1", f"no {'x' * (n + 1)}").to("senior")
        desk.advise("senior", **SURE)
        assert desk.task("T-1").state == "assigned"
    heard = desk.raise_blocker("T-1", "no end")
    assert not heard.of(ConsultRequested)
    assert desk.blocker(f"B-{MOST_ADVISED + 1}").question == "q-1"


@pytest.mark.parametrize("why", ["down", "parked", "spent", "nobody"])
def test_a_rung_where_nobody_can_think_is_passed_at_once(why: str) -> None:
    desk = started()
    if why == "down":
        desk.down("senior")
    elif why == "parked":
        desk.directions(spec("one"), spec("two"), spec("three", "driver-2"), spec("zero"))
        desk.to_review("T-3")
        desk.cannot_vote("T-3", "senior", hours=1)
    elif why == "spent":
        spent = Exhausted(what="tokens", used=1, cap=1)
        budget = desk.board.budget.model_copy(update={"version": 1, "exhausted": {"agent:senior": spent}})
        desk.board = type(desk.board)({**desk.board.docs, "budget": budget})
    else:
        desk.launch(seats={})
    heard = desk.raise_blocker("T-1")
    assert not heard.of(ConsultRequested)
    assert desk.blocker("B-1").question


def test_a_person_may_answer_before_being_asked_and_nobody_is_waited_for() -> None:
    desk = started()
    desk.raise_blocker("T-1", "no key")
    heard = desk.person("answer", question="B-1", text="use P")
    assert heard.reply.ok
    assert (heard.one(BlockerResolved).by, desk.task("T-1").state) == ("person", "queued")
    late = ConsultAnswered(consult="B-1.senior", advice=Advice.model_validate(SURE))
    assert "does not wait" in desk.hear(late, "senior", "T-1").refusal
    desk.blocked("T-2")
    assert desk.person("answer", question="B-2", text="so").reply.ok, "also once it is asked"


def test_a_pause_holds_the_ladder_and_its_end_lets_it_go_on() -> None:
    desk = started()
    desk.person("pause")
    assert not desk.raise_blocker("T-1").of(ConsultRequested)
    heard = desk.person("resume")
    assert heard.to("senior")
    desk.person("pause")
    assert not desk.advise("senior", **UNSURE).of(ConsultRequested)
    assert desk.person("resume").to("junior-1")


def test_what_only_a_person_can_put_right_is_asked_at_once() -> None:
    desk = Desk()
    heard = desk.directions(spec("one", blocked_by="waits for the lawyers"))
    assert desk.blocker("B-1").question == "q-1"
    assert not heard.of(ConsultRequested)
    desk = started()
    desk.ask("T-1", "which?")
    assert desk.question("q-1").text == "which?"
    assert isinstance(desk.person("answer", question="q-1", text="1").of(AnswerGiven)[0], AnswerGiven)


def test_a_consult_carries_what_was_tried_seen_and_kept() -> None:
    desk = started()
    desk.fail("T-1", "exited 1: no such file")
    heard = desk.raise_blocker("T-1", head="a" * 40)
    asked = heard.one(ConsultRequested)
    assert asked.work == "a" * 40
    assert asked.evidence == ("driver: exited 1: no such file",)
    assert asked.base == desk.task("T-1").base
    assert asked.questions


def test_a_second_answer_of_the_same_reviewer_changes_nothing() -> None:
    desk = started()
    trio_asked(desk)
    desk.advise("junior-1", says="answer", text="no, J")
    again = ConsultAnswered(consult="B-1.trio", advice=Advice(says="answer", text="or L"))
    assert "does not wait for junior-1" in desk.hear(again, "junior-1", "T-1").refusal
    asked = desk.advise("junior-2", says="cannot_say").of(ConsultRequested)
    assert asked[0].proposals == ("perhaps K", "no, J")


def test_a_run_whose_only_task_is_blocked_moves_until_a_person_is_asked() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.raise_blocker("T-1")
    assert outlook(desk.board) == "moving"
    desk.advise("senior")
    assert outlook(desk.board) == "people"
