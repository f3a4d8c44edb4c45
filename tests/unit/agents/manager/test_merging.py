"""From approved to landed: one at a time, only what is green and reviewed as it lands, and the intent before the move."""

from __future__ import annotations

import pytest
from desk_board import Desk, sha, spec

from callboard.agents.manager.verdicts import verdict_field
from callboard.bus.board import IntentDoc
from callboard.bus.messages import (
    ChangesRequested,
    CommandHandled,
    GateRequested,
    LandFinished,
    LandRequested,
    MergeLanded,
    MergePrepared,
    MergeRequested,
    ReviewRequested,
    TaskAssigned,
    TaskClosed,
)


def two_drivers() -> Desk:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    return desk


def second_attempt() -> Desk:
    """The first task is on its second attempt, which started from the work of the first."""
    desk = two_drivers()
    desk.hand_in("T-1", "first")
    desk.gate("T-1", "red")
    assert desk.task("T-1").pin == sha("T-1 first")
    return desk


def intents(desk: Desk) -> list[IntentDoc]:
    return list(desk.board.all(IntentDoc))


def test_one_is_merged_at_a_time_and_the_more_urgent_first() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("late", priority=5), spec("urgent", "driver-2", priority=0))
    for id in ("T-1", "T-2", "T-3"):
        desk.to_review(id)
        desk.approve(id)
    assert desk.states == {"T-1": "merging", "T-2": "approved", "T-3": "approved"}
    desk.prepare("T-1")
    heard = desk.land("T-1")
    assert desk.states == {"T-1": "done", "T-2": "approved", "T-3": "merging"}
    assert heard.one(MergeRequested).commit == sha("T-3 work")


def test_a_merge_is_asked_for_with_dates_that_a_repeat_will_have_too() -> None:
    desk = two_drivers()
    first = desk.to_merging("T-1").one(MergeRequested)
    desk.wait(minutes=5)
    desk.prepare("T-1", tree=sha("another tree"))
    again = desk.gate("T-1", purpose="merge", tree=sha("another tree")).one(MergeRequested)
    assert again == first


def test_the_merge_commit_says_what_it_lands_and_who_judged_it() -> None:
    message = two_drivers().to_merging("T-1").one(MergeRequested).message.splitlines()
    assert message[:2] == ["one", ""]
    trailers = dict(line.split(": ", 1) for line in message[2:] if not line.startswith("Reviewed-by"))
    assert (trailers["Task-Key"], trailers["Task"], trailers["Agent"]) == ("driver-1/one", "T-1", "driver-1")
    assert (trailers["Task-Digest"], trailers["Evidence"]) == (spec("one").digest, sha("T-1 work"))
    assert sorted(line for line in message if line.startswith("Reviewed-by")) == [
        "Reviewed-by: junior-1",
        "Reviewed-by: junior-2",
        "Reviewed-by: senior",
    ]


def test_the_intent_is_on_the_board_before_the_ref_may_move_and_names_its_verdict() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    heard = desk.prepare("T-1")
    task, [intent] = desk.task("T-1"), intents(desk)
    assert (intent.old, intent.tree, intent.state) == (sha("base"), task.tree, "open")
    assert intent.verdict == verdict_field(task.tree, task.gate_hash)
    request = heard.one(LandRequested)
    assert (request.intent, request.old, request.new) == (intent.id, intent.old, intent.new)
    assert (request.ref, request.tag) == ("refs/heads/callboard/r", "callboard/r/main/T-1")
    assert desk.run.head == sha("base"), "the head moves only once it has landed"


def test_a_landing_is_said_once_to_the_agent_and_ends_the_task() -> None:
    desk = two_drivers()
    intent = desk.to_intent("T-1")
    heard = desk.land("T-1")
    assert heard.to("driver-1")[0] == MergeLanded(commit=intent.new, tree=intent.tree, ref=intent.ref)
    assert heard.of(TaskClosed) == []
    assert (desk.states["T-1"], desk.task("T-1").landed, desk.run.head) == ("done", intent.new, intent.new)
    assert intents(desk)[0].state == "finished"


def test_the_same_landing_said_twice_counts_once() -> None:
    desk = two_drivers()
    intent = desk.to_intent("T-1")
    desk.land("T-1")
    before = desk.board.docs
    for outcome in ("landed", "moved", "blocked"):
        heard = desk.hear(LandFinished.model_validate({"intent": intent.id, "outcome": outcome}), "land", "T-1")
        assert heard.outcome.messages == ()
    assert desk.board.docs == before


def test_a_landing_that_the_board_does_not_know_changes_nothing() -> None:
    desk = two_drivers()
    before = desk.board.docs
    desk.hear(LandFinished(intent="I-9", outcome="landed"), "land", "T-1")
    assert desk.board.docs == before


def test_a_merged_tree_that_nobody_gated_is_gated_before_anything_is_intended() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", tree=sha("merged"))
    request = heard.one(GateRequested)
    assert (request.purpose, request.base, request.commit) == ("merge", sha("base"), desk.task("T-1").candidate)
    assert intents(desk) == []
    desk.gate("T-1", purpose="merge", tree=sha("merged"))
    desk.prepare("T-1", tree=sha("merged"))
    assert intents(desk)[0].tree == sha("merged")


def test_a_red_merged_tree_goes_back_to_its_driver_and_starts_again_on_the_head() -> None:
    desk = second_attempt()
    desk.to_landed("T-2")
    desk.to_merging("T-1")
    desk.prepare("T-1", tree=sha("merged"))
    heard = desk.gate("T-1", "red", purpose="merge", tree=sha("merged"))
    assert heard.one(ChangesRequested).source == "landing"
    body = heard.one(TaskAssigned)
    assert body.start == body.base == desk.run.head != sha("base")
    assert body.notes[-1].text == "`make test` exited 1 on top of what landed meanwhile"
    assert [intent.task for intent in intents(desk)] == ["T-2"]


def test_a_merged_tree_that_is_known_to_be_red_is_not_gated_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", tree=sha("merged"))
    desk.gate("T-1", "red", purpose="merge", tree=sha("merged"))
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", tree=sha("merged"))
    assert heard.of(GateRequested) == []
    assert heard.one(ChangesRequested).summary == f"the merged tree {sha('merged')[:12]} is known to be red"


def test_a_merged_tree_gated_with_other_commands_is_gated_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.policy = type(desk.policy)(gate=("make more tests",))
    assert desk.prepare("T-1").one(GateRequested).purpose == "merge"


def test_a_conflict_goes_back_to_its_driver_with_what_it_collided_with_and_its_base_forgotten() -> None:
    desk = second_attempt()
    desk.to_landed("T-2")
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", "conflict", conflicts=("a.py",))
    told = heard.one(ChangesRequested)
    assert told.source == "landing"
    assert "it collides with T-2 two in `a.py`" in told.summary
    assert sha("T-1 work") in told.summary, "the earlier work can be found"
    body = heard.one(TaskAssigned)
    assert body.start == body.base == desk.run.head != sha("base")


def test_a_landing_in_the_same_files_since_the_review_asks_for_another_one_of_the_merge() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", overlap=("a.py",))
    bodies = heard.of(ReviewRequested)
    assert len(bodies) == 3
    candidate = desk.task("T-1").candidate
    assert {(body.base, body.commit, body.review) for body in bodies} == {(desk.run.head, candidate, "T-1.1.2")}
    assert intents(desk) == []
    heard = desk.approve("T-1")
    assert heard.one(MergeRequested).reviewed_base == desk.run.head
    desk.prepare("T-1")
    assert len(intents(desk)) == 1


def test_others_land_while_one_is_reviewed_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", overlap=("a.py",))
    desk.to_landed("T-2")
    assert desk.states == {"T-1": "review", "T-2": "done"}


def test_changes_that_are_in_the_branch_already_end_the_task_without_a_landing() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", "contained")
    assert (desk.states["T-1"], desk.task("T-1").landed, intents(desk)) == ("done", "", [])
    assert heard.one(TaskClosed).reason == "its changes are in the integration branch already"


def test_standing_work_that_landed_before_and_now_changes_nothing_is_said_too() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    desk.fire(-1)
    desk.to_merging("T-1")
    assert desk.prepare("T-1", "contained").one(TaskClosed).state == "done"


def test_standing_work_that_lands_again_gets_a_tag_of_its_own() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    desk.fire(-1)
    desk.to_merging("T-1")
    assert desk.prepare("T-1").one(LandRequested).tag == "callboard/r/main/T-1.2"


def test_a_branch_that_somebody_moved_pauses_the_run_and_resume_merges_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", "moved", reason="somebody moved callboard/r")
    assert (desk.run.state, desk.run.reason, desk.run.detail) == (
        "paused",
        "integration_moved",
        "somebody moved callboard/r",
    )
    assert desk.person("resume").one(MergeRequested).commit == sha("T-1 work")


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


def test_the_gate_of_a_merge_that_could_not_run_is_tried_again_after_resume() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", tree=sha("merged"))
    desk.gate("T-1", "infrastructure", purpose="merge", reason="no make")
    assert (desk.run.state, desk.states["T-1"], desk.task("T-1").spent) == ("paused", "approved", 0)
    heard = desk.person("resume")
    assert heard.one(MergeRequested)
    assert desk.states["T-1"] == "merging"
    assert desk.prepare("T-1", tree=sha("merged")).one(GateRequested).purpose == "merge"


def test_a_merge_may_be_cancelled_until_it_is_intended() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    assert desk.person("cancel", task="T-1").reply.ok
    desk.prepare("T-1")
    assert (desk.states["T-1"], intents(desk)) == ("cancelled", [])


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
    assert desk.person("cancel", task="T-1").one(MergeRequested).commit == sha("T-2 work")


def test_an_answer_about_an_earlier_attempts_merge_changes_nothing() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", "conflict", conflicts=("a.py",))
    desk.to_merging("T-1")
    before = desk.board.docs
    late = MergePrepared(outcome="clean", old=sha("base"), new=sha("x"), tree=desk.task("T-1").tree)
    desk.hear(late, "land", "T-1", attempt=1)
    assert desk.board.docs == before


def test_nothing_is_merged_while_the_run_is_paused() -> None:
    desk = two_drivers()
    desk.to_review("T-1")
    desk.person("pause")
    assert desk.approve("T-1").of(MergeRequested) == []
    assert desk.states["T-1"] == "approved"
    assert desk.person("resume").one(MergeRequested)
