"""What people ask of the manager; each command gets one answer."""

from __future__ import annotations

import pytest
from desk_board import Desk, Heard, spec

from callboard.agents.manager.eligibility import not_promotable
from callboard.bus.messages import (
    CommandGiven,
    CommandHandled,
    DiskChanged,
    PromotionChanged,
    PromotionFinished,
    PromotionRequested,
    TaskAssigned,
    TaskCancelled,
)
from callboard.bus.task import TaskSpec


def persons(title: str, agent: str = "driver-1", **values: object) -> TaskSpec:
    return TaskSpec(key=f"{agent}/{title}", title=title, agent=agent).model_copy(update=values)


def said(heard: Heard) -> tuple[bool, str]:
    return heard.reply.ok, heard.reply.text


def finished() -> Desk:
    """A run that has succeeded and is not promoted."""
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_landed("T-1")
    return desk


# --- assign ---


def test_assign_queues_a_task_for_a_driver_and_says_its_id() -> None:
    desk = Desk()
    heard = desk.person("assign", spec=persons("x"))
    assert said(heard) == (True, "T-1 x: queued for driver-1")
    assert heard.reply.task == "T-1"
    assert heard.one(TaskAssigned).spec.title == "x"


def test_assign_to_nobody_names_the_drivers() -> None:
    assert said(Desk().person("assign", spec=persons("x", "driver-9"))) == (
        False,
        "no driver 'driver-9' in the roster; there are: driver-1, driver-2",
    )


def test_assign_to_a_reviewer_is_refused() -> None:
    assert said(Desk().person("assign", spec=persons("x", "senior")))[0] is False


def test_assign_without_a_task_is_refused() -> None:
    assert said(Desk().person("assign")) == (False, "assign needs a task")


def test_assign_with_the_title_of_an_open_task_is_refused_and_of_an_ended_one_is_not() -> None:
    desk = Desk()
    desk.person("assign", spec=persons("x"))
    assert said(desk.person("assign", spec=persons("x"))) == (
        False,
        "T-1 has this title already and is assigned; give it another",
    )
    desk.to_landed("T-1")
    assert said(desk.person("assign", spec=persons("x"))) == (True, "T-2 x: queued for driver-1")


def test_assign_that_depends_on_no_task_is_refused() -> None:
    heard = Desk().person("assign", spec=persons("x", depends_on=("driver-2/typo",)))
    assert said(heard) == (False, "it cannot depend on driver-2/typo: no other task has that key")


def test_assign_that_depends_on_itself_is_refused() -> None:
    assert said(Desk().person("assign", spec=persons("x", depends_on=("driver-1/x",))))[0] is False


def test_assign_reopens_a_run_that_had_ended() -> None:
    desk = finished()
    desk.person("assign", spec=persons("more"))
    assert (desk.run.state, desk.states["T-2"]) == ("running", "assigned")


# --- cancel ---


def test_cancel_takes_a_task_from_its_agent_which_gets_its_next_one_at_once() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    heard = desk.person("cancel", task="T-1", text="not wanted")
    assert said(heard) == (True, "T-1 is cancelled; what was done is kept (`callboard recover`)")
    assert [type(body) for body in heard.to("driver-1")] == [TaskCancelled, TaskAssigned]
    assert desk.states == {"T-1": "cancelled", "T-2": "assigned"}
    assert desk.task("T-1").reason == "not wanted"


@pytest.mark.parametrize("state", ["queued", "blocked", "gate", "review", "approved", "merging"])
def test_cancel_ends_a_task_in_any_state_in_which_nothing_lands_yet(state: str) -> None:
    desk = Desk()
    desk.directions(spec("first"), spec("one", "driver-2"))
    if state == "queued":
        desk.directions(spec("first"), spec("one", "driver-2"), spec("queued", "driver-2"))
    elif state == "blocked":
        desk.blocked("T-2")
    else:
        desk.hand_in("T-2")
    if state in ("review", "approved", "merging"):
        desk.gate("T-2")
    if state == "approved":
        desk.to_merging("T-1")
    if state in ("approved", "merging"):
        desk.approve("T-2")
    id = "T-3" if state == "queued" else "T-2"
    assert desk.states[id] == state
    assert desk.person("cancel", task=id).reply.ok
    assert desk.states[id] == "cancelled"


def test_cancel_of_nothing_says_where_to_look() -> None:
    assert said(Desk().person("cancel", task="T-9")) == (
        False,
        "no task 'T-9' on the board; `callboard status` lists them",
    )


def test_cancel_of_what_is_done_is_refused() -> None:
    assert said(finished().person("cancel", task="T-1")) == (False, "T-1 is done already")


def test_a_failed_task_that_is_given_up_no_longer_holds_up_the_run() -> None:
    desk = Desk()
    desk.directions(
        spec("one"),
        spec("two", "driver-2", budget={"attempts": 1}),
        spec("three", "driver-2", depends_on=("driver-2/two",)),
    )
    desk.fail("T-2")
    desk.to_landed("T-1")
    assert desk.run.state == "failed"
    assert said(desk.person("cancel", task="T-2"))[0]
    assert desk.run.detail == "not done: T-3"
    assert said(desk.person("cancel", task="T-3"))[0]
    assert (desk.run.state, not_promotable(desk.board)) == ("succeeded", [])


# --- pause, resume, disk ---


def test_pause_hands_nothing_out_and_keeps_its_reason() -> None:
    desk = Desk()
    assert said(desk.person("pause", text="lunch"))[0]
    assert (desk.run.state, desk.run.reason, desk.run.detail) == ("paused", "operator", "lunch")
    assert said(desk.person("pause")) == (False, "the run is paused, so it cannot be paused")


def test_resume_of_what_is_not_paused_is_refused() -> None:
    assert said(Desk().person("resume")) == (False, "the run is running, not paused")


def test_an_agent_finishes_what_it_holds_while_the_run_is_paused() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.person("pause")
    desk.hand_in("T-1")
    desk.gate("T-1")
    desk.approve("T-1")
    assert desk.states == {"T-1": "approved", "T-2": "queued"}
    assert said(desk.person("resume")) == (True, "the run goes on")
    assert desk.states == {"T-1": "merging", "T-2": "assigned"}


def test_too_little_space_pauses_the_run_and_enough_lets_it_go_on_by_itself() -> None:
    desk = Desk()
    desk.hear(DiskChanged(is_low=True, free_bytes=150_000_000), "launcher")
    assert (desk.run.state, desk.run.reason) == ("paused", "disk")
    assert "150 MB are free" in desk.run.detail
    desk.directions(spec("one"))
    assert desk.states == {"T-1": "queued"}
    desk.hear(DiskChanged(is_low=False, free_bytes=300_000_000), "launcher")
    assert (desk.run.state, desk.states) == ("running", {"T-1": "assigned"})


def test_enough_space_does_not_end_a_persons_pause() -> None:
    desk = Desk()
    desk.person("pause")
    desk.hear(DiskChanged(is_low=True, free_bytes=1), "launcher")
    desk.hear(DiskChanged(is_low=False, free_bytes=10**9), "launcher")
    assert (desk.run.state, desk.run.reason) == ("paused", "operator")


# --- promote ---


def test_promote_asks_the_hand_and_the_answer_comes_when_it_has_moved() -> None:
    desk = finished()
    message = desk.message(CommandGiven(command="promote"), "person")
    heard = desk.decide(message)
    assert heard.one(PromotionRequested).command == message.id
    assert heard.of(CommandHandled) == []
    done = PromotionFinished(command=message.id, ok=True, target="main", old="a" * 40, new=desk.run.head)
    heard = desk.hear(done, "land")
    assert (heard.reply.command, heard.reply.ok) == (message.id, True)
    assert heard.one(PromotionChanged).new == desk.run.head
    assert desk.run.promoted == desk.run.head


def test_a_promotion_that_could_not_be_done_says_why() -> None:
    desk = finished()
    heard = desk.hear(PromotionFinished(command="c", ok=False, target="main", reason="main has other commits"), "land")
    assert said(heard) == (False, "main has other commits")
    assert desk.run.promoted == ""


def test_every_condition_that_promotion_lacks_is_named() -> None:
    desk = Desk()
    desk.directions(
        spec("one"), spec("two", "driver-2", budget={"attempts": 1}), spec("watch", "driver-2", standing=True)
    )
    desk.fail("T-2")
    assert said(desk.person("promote")) == (
        False,
        "not eligible for promotion:\n"
        "- the run is running (T-1 is assigned, T-2 failed); `callboard launch` goes on with it\n"
        "- nothing has landed; only what changed code can be promoted",
    )


def test_nothing_is_promoted_twice() -> None:
    desk = finished()
    done = PromotionFinished(command="c", ok=True, target="main", old="a" * 40, new=desk.run.head)
    desk.hear(done, "land")
    assert not_promotable(desk.board) == [f"main is at {desk.run.head[:12]} already; there is nothing left to do"]


def test_a_run_that_changed_no_code_has_nothing_to_promote() -> None:
    desk = Desk()
    desk.directions(spec("look"))
    desk.hand_in("T-1", head=None)
    desk.gate("T-1")
    desk.approve("T-1")
    assert (desk.run.state, not_promotable(desk.board)) == (
        "succeeded",
        ["nothing has landed; only what changed code can be promoted"],
    )
