"""How tasks and runs end, and what holds an end up."""

from __future__ import annotations

import pytest
from desk_board import REVIEWERS, ROSTER, Desk, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.messages import (
    DiskChanged,
    FeedbackLogged,
    GateRequested,
    LandFinished,
    MergeRequested,
    TaskAssigned,
    TaskClosed,
)


def test_a_run_has_succeeded_when_everything_is_done() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.to_landed("T-1")
    assert desk.run.state == "running"
    heard = desk.to_landed("T-2")
    assert (desk.run.state, desk.run.reason) == ("succeeded", "")
    assert "run succeeded\n2 done\n" in heard.logged


def test_the_end_of_a_run_is_logged_as_about_no_task() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_intent("T-1")
    message = desk.message(LandFinished(intent="I-1", outcome="landed"), "land", "T-1", 1)
    drafts = desk.decide(message).outcome.messages
    stamped = [draft.stamp(id="1", run="r", sender="manager", now=desk.now, cause=message) for draft in drafts]
    tasks = {one.body.title: one.task for one in stamped if isinstance(one.body, FeedbackLogged)}
    assert tasks == {"T-1 one: landed": "T-1", "run succeeded": ""}


def test_what_was_cancelled_by_a_person_does_not_make_a_run_fail() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.person("cancel", task="T-2")
    desk.to_landed("T-1")
    assert desk.run.state == "succeeded"


def test_a_run_with_a_failed_task_has_failed_and_names_it() -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 1}), spec("two", "driver-2"))
    desk.fail("T-1")
    assert desk.run.state == "running", "the rest goes on"
    desk.to_landed("T-2")
    assert (desk.run.state, desk.run.reason) == ("failed", "requires_human_review")
    assert desk.run.detail == "not done: T-1"


def test_a_run_succeeds_after_all_when_what_failed_was_done_with_another_text() -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 1}))
    desk.fail("T-1")
    assert desk.run.state == "failed"
    desk.directions(spec("one", what="smaller"))
    desk.to_landed("T-2")
    assert (desk.run.state, desk.states) == ("succeeded", {"T-1": "failed", "T-2": "done"})


def test_a_run_without_a_task_does_not_end_and_waits_for_one() -> None:
    desk = Desk()
    desk.directions()
    assert (desk.run.state, desk.run.reason) == ("paused", "operator")
    desk.directions(spec("one"))
    assert (desk.run.state, desk.states) == ("running", {"T-1": "assigned"})


# --- dependencies ---


def test_what_depends_on_a_task_that_was_not_done_is_skipped_all_the_way() -> None:
    desk = Desk()
    desk.directions(
        spec("a", budget={"attempts": 1}),
        spec("b", depends_on=("driver-1/a",)),
        spec("c", "driver-2", depends_on=("driver-1/b",)),
    )
    desk.fail("T-1")
    assert desk.states == {"T-1": "failed", "T-2": "skipped", "T-3": "skipped"}
    assert desk.task("T-3").reason == "it depends on driver-1/b, which was not done"
    assert desk.run.state == "failed"


def test_what_was_skipped_comes_back_when_its_dependency_is_tried_again() -> None:
    desk = Desk()
    after = spec("b", "driver-2", depends_on=("driver-1/a",)), spec("c", "driver-2", depends_on=("driver-2/b",))
    desk.directions(spec("a", budget={"attempts": 1}), *after)
    desk.fail("T-1")
    desk.directions(spec("a", what="smaller"), *after)
    assert desk.states == {"T-1": "failed", "T-2": "queued", "T-3": "queued", "T-4": "assigned"}
    for id in ("T-4", "T-2", "T-3"):
        desk.to_landed(id)
    assert desk.run.state == "succeeded"


def test_a_skipped_task_whose_file_loses_it_no_longer_counts() -> None:
    desk = Desk()
    desk.directions(spec("a", budget={"attempts": 1}), spec("b", depends_on=("driver-1/a",)))
    desk.fail("T-1")
    desk.directions(spec("a", what="smaller"))
    assert desk.states == {"T-1": "failed", "T-2": "cancelled", "T-3": "assigned"}


def test_a_task_that_was_begun_is_not_skipped_when_its_dependency_comes_again_and_fails() -> None:
    desk = Desk()
    desk.directions(spec("a"))
    desk.to_landed("T-1")
    b = spec("b", "driver-2", depends_on=("driver-1/a",))
    desk.directions(spec("a"), b)
    desk.directions(spec("a", what="again", budget={"attempts": 1}), b)
    desk.fail("T-3")
    assert desk.states["T-2"] == "assigned"
    desk.to_landed("T-2")
    assert desk.states["T-2"] == "done"


# --- standing work ---


def test_standing_work_never_holds_the_end_of_a_run() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("one", "driver-2"))
    desk.to_landed("T-2")
    assert (desk.run.state, desk.states["T-1"]) == ("succeeded", "assigned")


def test_standing_work_comes_again_after_a_while_as_if_it_were_new() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.hand_in("T-1")
    desk.gate("T-1", "red")
    desk.to_landed("T-1")
    task = desk.task("T-1")
    assert (task.state, task.spent, task.notes, task.pin, task.rounds) == ("queued", 0, (), "", 1)
    assert task.not_before == desk.now + desk.policy.standing_every
    body = desk.fire(-1).one(TaskAssigned)
    assert body.start == body.base == desk.run.head


def test_standing_work_is_done_for_good_when_its_next_round_would_be_after_its_last_day() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True, until=desk.now.date()), spec("keep the run open", "driver-2"))
    desk.wait(hours=11, minutes=30)
    desk.to_landed("T-1")
    assert desk.states["T-1"] == "done"


def test_standing_work_that_failed_does_not_make_the_run_fail() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True, budget={"attempts": 1}), spec("one", "driver-2"))
    desk.fail("T-1")
    desk.to_landed("T-2")
    assert desk.run.state == "succeeded"


def test_standing_work_goes_on_after_the_end_while_a_launch_stays() -> None:
    desk = Desk()
    desk.launch(stay=True)
    desk.start(*ROSTER)
    desk.directions(spec("watch", standing=True), spec("one", "driver-2"))
    desk.to_landed("T-2")
    assert desk.to_merging("T-1").of(MergeRequested)
    desk.prepare("T-1")
    desk.land("T-1")
    assert desk.run.state == "succeeded"
    assert desk.fire(-1).one(TaskAssigned).spec.title == "watch"


def test_standing_work_does_not_go_on_after_the_end_of_a_launch_that_ends() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("one", "driver-2"))
    desk.to_landed("T-1")
    desk.to_landed("T-2")
    assert desk.fire(-1).of(TaskAssigned) == []


# --- pauses ---


def test_trouble_with_standing_work_does_not_take_back_the_end_of_a_run() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("one", "driver-2"))
    desk.hand_in("T-1")
    desk.to_landed("T-2")
    desk.gate("T-1", "infrastructure", reason="no make")
    assert (desk.run.state, desk.states["T-1"]) == ("succeeded", "gate")


def test_its_gate_is_asked_for_again_when_new_work_reopens_the_run() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("one", "driver-2"))
    desk.hand_in("T-1")
    desk.to_landed("T-2")
    desk.gate("T-1", "infrastructure", reason="no make")
    heard = desk.directions(spec("watch", standing=True), spec("one", "driver-2"), spec("two", "driver-2"))
    assert (desk.run.state, heard.one(GateRequested).purpose) == ("running", "evidence")


# --- outlook ---


def test_a_launch_that_has_not_read_the_directions_yet_is_not_at_its_end() -> None:
    desk = Desk()
    assert outlook(desk.board) == "moving"
    desk.directions(spec("one"))
    desk.to_landed("T-1")
    assert outlook(desk.board) == "ended"
    desk.launch()
    assert outlook(desk.board) == "moving", "what was written meanwhile may reopen the run"
    desk.directions(spec("one"))
    assert outlook(desk.board) == "ended"


def test_without_any_task_only_people_can_go_on() -> None:
    desk = Desk()
    desk.directions()
    assert outlook(desk.board) == "people"


def test_work_in_any_hand_moves() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    seen = [outlook(desk.board)]
    desk.accept("T-1")
    seen.append(outlook(desk.board))
    desk.hand_in("T-1")
    seen.append(outlook(desk.board))
    desk.gate("T-1")
    seen.append(outlook(desk.board))
    desk.approve("T-1")
    seen.append(outlook(desk.board))
    desk.prepare("T-1")
    seen.append(outlook(desk.board))
    desk.land("T-1")
    assert seen == ["moving"] * 6
    assert outlook(desk.board) == "ended"


def test_when_all_that_is_left_waits_for_people_only_they_can_go_on() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", depends_on=("driver-1/one",)))
    desk.blocked("T-1")
    assert outlook(desk.board) == "people"
    desk.person("answer", question="q-1", text="x")
    assert outlook(desk.board) == "moving"


def test_a_queued_task_moves_only_if_a_driver_may_take_it() -> None:
    desk = Desk(started=False)
    desk.directions(spec("one"))
    assert outlook(desk.board) == "moving"
    desk.down("driver-1")
    assert outlook(desk.board) == "moving"
    desk.down("driver-2")
    assert outlook(desk.board) == "people"


def test_without_a_driver_in_the_roster_queued_tasks_wait_for_people() -> None:
    desk = Desk({"manager": "manager", **dict.fromkeys(REVIEWERS, "reviewer")})
    desk.directions(spec("one"))
    assert (desk.states, outlook(desk.board)) == ({"T-1": "queued"}, "people")


def test_standing_work_does_not_move_a_run_unless_somebody_waits_for_it() -> None:
    desk = Desk()
    waits = spec("one", "driver-2")
    desk.directions(spec("watch", standing=True), waits)
    desk.blocked("T-2")
    assert (desk.states["T-1"], outlook(desk.board)) == ("assigned", "people")
    needs_it = spec("two", "driver-2", depends_on=("driver-1/watch",))
    desk.directions(spec("watch", standing=True), waits, needs_it)
    assert outlook(desk.board) == "moving"


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_run_that_has_ended_has_ended(state: str) -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 1}))
    desk.to_landed("T-1") if state == "succeeded" else desk.fail("T-1")
    assert (desk.run.state, outlook(desk.board)) == (state, "ended")


def test_a_paused_run_moves_while_an_agent_finishes_what_it_holds_and_then_people_do() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.person("pause")
    assert outlook(desk.board) == "moving"
    desk.blocked("T-1")
    assert outlook(desk.board) == "people"


def test_a_run_that_waits_for_disk_space_goes_on_by_itself() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.blocked("T-1")
    desk.hear(DiskChanged(is_low=True, free_bytes=1), "launcher")
    assert outlook(desk.board) == "moving"


# --- who hears of an end ---


def test_the_agent_of_a_task_that_ends_while_others_judge_it_hears_so() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.to_review("T-1")
    heard = desk.person("cancel", task="T-1", text="not wanted")
    assert TaskClosed(state="cancelled", reason="not wanted") in heard.to("driver-1")


def test_nobody_hears_of_the_end_of_a_task_that_nobody_had() -> None:
    desk = Desk(started=False)
    desk.directions(spec("one"))
    assert desk.person("cancel", task="T-1").of(TaskClosed) == []
