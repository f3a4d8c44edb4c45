"""Caps of a tier: what all its tasks together may use, whoever works on them."""

from __future__ import annotations

from desk_board import Desk, Heard, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import QuestionDoc
from callboard.bus.caps import Caps, Limits, Reached
from callboard.bus.messages import AttemptParked, BudgetReached, MinutePassed, TaskAssigned

LATER = "tier:later"
SMALL = Caps(tokens=100, micro_usd=1_000_000, minutes=10, attempts=50)


def tiered(tier: Caps = SMALL) -> Desk:
    """Each driver has a task of one tier in its hands and one of none behind it; a third of the tier waits."""
    desk = Desk()
    desk.launch(limits=Limits(tier=tier))
    desk.start("manager", "driver-1", "driver-2")
    first, second = spec("one", tier="later"), spec("two")
    desk.directions(first, second, spec("three", "driver-2", tier="later"), spec("four", "driver-2"))
    return desk


def reach(desk: Desk, used: int) -> Heard:
    reached = Reached(scope=LATER, what="tokens", used=used, cap=1)
    return desk.hear(BudgetReached(reached=(reached,)), "manager")


def park(desk: Desk, id: str) -> Heard:
    reached = Reached(scope=LATER, what="tokens", used=100, cap=100)
    return desk.hear(
        AttemptParked(cause="budget", detail="no room", head="h", reached=reached), desk.task(id).agent, id
    )


def open_questions(desk: Desk) -> list[str]:
    return [doc.scope for doc in desk.board.all(QuestionDoc) if doc.state == "open"]


def answer(desk: Desk, text: str) -> Heard:
    return desk.person("answer", question="q-1", text=text)


def test_at_eighty_per_cent_a_person_is_told_and_at_the_cap_asked_once() -> None:
    desk = tiered()
    assert reach(desk, 80).logged[0].startswith("tier later has used 80 % of its tokens")
    reach(desk, 100)
    park(desk, "T-1")
    assert open_questions(desk) == [LATER]
    assert desk.question("q-1").text.startswith("the budget of tier later is spent: 100 tokens of 100 tokens.")
    assert desk.run.state == "running"


def test_what_was_begun_waits_and_other_tasks_go_on_until_there_is_an_answer() -> None:
    desk = tiered()
    heard = park(desk, "T-1")
    assert [draft.spec.title for draft in heard.of(TaskAssigned)] == ["two"]
    assert (desk.states["T-1"], desk.task("T-1").question) == ("blocked", "q-1")
    assert desk.task("T-1").reason == "the budget of tier later is spent; waits for q-1"
    park(desk, "T-3")
    for id in ("T-2", "T-4"):
        desk.to_landed(id)
    assert outlook(desk.board) == "people"
    heard = answer(desk, "1k")
    assert heard.reply.text == "tier later may use 1,000 tokens now, and goes on"
    assert {draft.spec.title for draft in heard.of(TaskAssigned)} == {"one", "three"}


def test_stop_fails_its_open_tasks_and_those_that_come_later() -> None:
    desk = tiered()
    park(desk, "T-1")
    assert answer(desk, "stop").reply.text.startswith("tier later gets nothing more: its open tasks have failed (2)")
    assert (desk.states["T-1"], desk.states["T-3"], desk.states["T-2"]) == ("failed", "failed", "assigned")
    desk.directions(spec("five", tier="later"))
    assert desk.states["T-5"] == "failed"
    assert desk.run.state == "running"
    desk.person("resume", limits=Limits())
    desk.directions(spec("six", tier="later"))
    assert desk.states["T-6"] != "failed", "callboard.toml has raised it"


def test_its_minutes_count_once_and_its_attempts_are_those_of_its_tasks() -> None:
    desk = tiered()
    desk.hear(MinutePassed(), "manager")
    worked = desk.board.budget.worked
    assert (worked[LATER].minutes, worked[LATER].attempts) == (1, 2)
    desk.fail("T-1")
    assert desk.board.budget.worked[LATER].attempts == 3


def test_without_attempts_its_tasks_wait_and_the_others_are_handed_out() -> None:
    desk = tiered(SMALL.model_copy(update={"attempts": 2}))
    heard = desk.fail("T-1")
    assert [draft.spec.title for draft in heard.of(TaskAssigned)] == ["two"]
    assert open_questions(desk) == [LATER]


def test_nobody_is_asked_about_a_tier_whose_tasks_have_all_ended() -> None:
    desk = tiered()
    for id in ("T-1", "T-3"):
        desk.person("cancel", task=id)
    reach(desk, 100)
    assert open_questions(desk) == []


def test_the_tier_of_a_task_that_names_none_has_no_caps() -> None:
    desk = tiered()
    park(desk, "T-1")
    assert desk.states["T-2"] == "assigned"
    assert {scope for scope in desk.board.budget.worked if scope.startswith("tier:")} == {LATER}
