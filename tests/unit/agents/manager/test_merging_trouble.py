"""What keeps a branch from landing: conflicts, reviews that another landing voids, hands that cannot go on, old boards."""

from __future__ import annotations

import pytest
from desk_board import Desk, Heard, sha, spec
from drains import drain_of, drain_to_stack, intents, second_attempt, two_drivers

from callboard.bus.board import Change, IntentDoc, QueueDoc
from callboard.bus.messages import (
    ChangesRequested,
    CommandHandled,
    GateRequested,
    LandRequested,
    MergePrepared,
    MergeRequested,
    ReviewRequested,
    TaskAssigned,
    TaskClosed,
)

# --- conflicts, reviews ---


def test_a_conflict_goes_back_to_its_driver_with_what_it_collided_with_and_its_base_forgotten() -> None:
    desk = second_attempt()
    desk.to_landed("T-2")
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", "conflict", paths=("a.py",), hunks="a.py:1\n<<<<<<<\nmine\n>>>>>>>")
    told = heard.one(ChangesRequested)
    assert (told.source, told.detail.splitlines()[2]) == ("landing", "mine")
    assert 'it collides with T-2 driver-2/two "two" (`a.py`) in `a.py`' in told.summary
    assert sha("T-1 work") in told.summary, "the earlier work can be found"
    body = heard.one(TaskAssigned)
    assert body.start == body.base == desk.run.head != sha("base")
    assert body.notes[-1].text == f"{told.summary}\n{told.detail}"
    assert any("collides with what has landed" in entry and "mine" in entry for entry in heard.logged)


def test_a_conflict_does_not_hold_up_the_others() -> None:
    desk = drain_to_stack(2)
    desk.prepare("T-1", "conflict", paths=("a.py",))
    assert intents(desk)[0].tasks == ("T-2",)


def test_a_landing_in_the_same_files_since_the_review_asks_for_another_one_of_the_merge() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", "review", paths=("a.py",), merge=sha("alone"))
    bodies = heard.of(ReviewRequested)
    assert len(bodies) == 3
    assert {(body.base, body.commit, body.review) for body in bodies} == {(desk.run.head, sha("alone"), "T-1.1.2")}
    assert intents(desk) == []
    [branch] = desk.approve("T-1").one(MergeRequested).branches
    assert branch.reviewed_base == desk.run.head
    desk.prepare()
    assert len(intents(desk)) == 1


def test_others_land_while_one_is_reviewed_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", "review", paths=("a.py",), merge=sha("alone"))
    desk.to_landed("T-2")
    assert desk.states == {"T-1": "review", "T-2": "done"}


def test_changes_that_are_in_the_branch_already_end_the_task_without_a_landing() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", "contained")
    assert (desk.states["T-1"], desk.task("T-1").landed, intents(desk)) == ("done", "", [])
    assert heard.one(TaskClosed).reason == "its changes are in the integration branch already"


def standing() -> Desk:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    desk.fire(-1)
    desk.to_merging("T-1")
    return desk


def test_standing_work_that_landed_before_and_now_changes_nothing_is_said_too() -> None:
    assert standing().prepare("T-1", "contained").one(TaskClosed).state == "done"


def test_standing_work_that_lands_again_gets_a_tag_of_its_own() -> None:
    assert list(standing().prepare().one(LandRequested).tags) == ["callboard/r/main/T-1.2"]


# --- what goes wrong ---


def test_a_branch_that_somebody_moved_pauses_the_run_and_resume_merges_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.moved("somebody moved callboard/r")
    assert (desk.run.state, desk.run.reason, desk.run.detail) == (
        "paused",
        "integration_moved",
        "somebody moved callboard/r",
    )
    assert desk.states["T-1"] == "approved"
    [branch] = desk.person("resume").one(MergeRequested).branches
    assert branch.commit == sha("T-1 work")


@pytest.mark.parametrize(("outcome", "reason"), [("moved", "integration_moved"), ("blocked", "operator")])
def test_a_landing_that_cannot_be_finished_now_keeps_its_intent_and_resume_tries_it_again(
    outcome: str, reason: str
) -> None:
    desk = two_drivers()
    intent = desk.to_intent("T-1")
    desk.land("T-1", outcome, "it is checked out")
    assert (desk.run.state, desk.run.reason, desk.run.detail) == ("paused", reason, "it is checked out")
    request = desk.person("resume").one(LandRequested)
    assert (request.intent, request.new) == (intent.id, intent.new)
    desk.land("T-1")
    assert desk.states["T-1"] == "done"


def test_a_gate_that_could_not_run_evicts_nobody_and_is_tried_again_after_resume() -> None:
    desk = drain_of(3)
    desk.gate_stack("infrastructure", reason="no make")
    assert (desk.run.state, desk.run.reason) == ("paused", "environment")
    assert {(state, desk.task(id).spent) for id, state in desk.states.items()} == {("approved", 0)}
    assert desk.run.detail == "the gate could not run for T-1, T-2, T-3: no make"
    heard = desk.person("resume")
    assert [branch.task for branch in heard.one(MergeRequested).branches] == ["T-1", "T-2", "T-3"]
    assert desk.prepare().one(GateRequested).purpose == "merge"


def test_a_merge_may_be_cancelled_until_it_is_intended() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    assert desk.person("cancel", task="T-1").reply.ok
    desk.prepare()
    assert (desk.states["T-1"], intents(desk)) == ("cancelled", [])


@pytest.mark.parametrize("id", ["T-1", "T-2", "T-3"])
def test_one_of_a_stack_may_be_cancelled_and_the_others_land(id: str) -> None:
    desk = drain_of(3)
    assert desk.person("cancel", task=id).reply.ok
    assert [one.how for one in desk.board.queue.left] == ["withdrawn"]
    desk.prepare()
    if desk.board.queue.asked:
        desk.gate_stack()
    others = [other for other in desk.states if other != id]
    desk.land(others[0])
    assert desk.states == {id: "cancelled", **dict.fromkeys(others, "done")}


def test_a_landing_that_has_begun_is_finished_whatever_a_person_says() -> None:
    desk = two_drivers()
    desk.to_intent("T-1")
    answer: CommandHandled = desk.person("cancel", task="T-1").reply
    assert (answer.ok, answer.text) == (False, "T-1 is landing; a landing that has begun is finished")
    desk.land("T-1")
    assert desk.states["T-1"] == "done"


def test_the_next_one_is_merged_when_the_one_before_was_cancelled() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.to_merging("T-2")
    assert desk.states["T-2"] == "approved"
    [branch] = desk.person("cancel", task="T-1").one(MergeRequested).branches
    assert branch.commit == sha("T-2 work")


def test_an_answer_about_an_earlier_stack_changes_nothing() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", "conflict", paths=("a.py",))
    desk.to_merging("T-1")
    before = desk.board.docs
    desk.hear(MergePrepared(outcome="stacked", stack=1, old=sha("base"), landing=sha("x")), "land")
    assert desk.board.docs == before


def test_nothing_is_merged_while_the_run_is_paused() -> None:
    desk = two_drivers()
    desk.to_review("T-1")
    desk.person("pause")
    assert desk.approve("T-1").of(MergeRequested) == []
    assert desk.states["T-1"] == "approved"
    assert desk.person("resume").one(MergeRequested)


def test_a_verdict_that_comes_while_the_run_is_paused_is_kept_for_later() -> None:
    desk = drain_of(2)
    desk.person("pause")
    assert desk.gate_stack().of(LandRequested) == []
    heard: Heard = desk.person("resume")
    assert (heard.of(GateRequested), len(heard.of(LandRequested))) == ([], 1)


# --- boards of before ---


def test_a_board_from_before_the_queue_goes_on() -> None:
    """A task was merging alone, and nothing says so but its state."""
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.board = desk.board.with_changes([Change("queue", QueueDoc(version=desk.board.queue.version))])
    [branch] = desk.start("driver-1").one(MergeRequested).branches
    assert branch.task == "T-1"


def test_an_intent_from_before_stacks_is_finished() -> None:
    old = IntentDoc.model_validate({"version": 1, "id": "I-1", "task": "T-1", "ref": "r", "old": "o", "new": "n"})
    assert (old.tasks, old.merges) == (("T-1",), ())
