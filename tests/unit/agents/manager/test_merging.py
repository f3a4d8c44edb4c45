"""From approved to landed: stacks of what is approved, only what is green and reviewed as it lands, intent before move."""

from __future__ import annotations

import pytest
from desk_board import Desk, Heard, sha, spec

from callboard.agents.manager.verdicts import gate_hash, stack_spec, verdict_field
from callboard.bus.board import Change, IntentDoc, QueueDoc
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


def drain_of(count: int, **values: object) -> Desk:
    """So many branches in one drain, which is stacked; the first is gated, the stack is not."""
    desk = Desk()
    specs = [spec(f"t{n}", f"driver-{n % 2 + 1}", **values) for n in range(count)]
    desk.directions(*specs)
    ids = [f"T-{n}" for n in range(1, count + 1)]
    for id in ids:
        desk.to_review(id)
    desk.person("pause")
    for id in ids:
        desk.approve(id)
    desk.person("resume")
    assert set(desk.states.values()) == {"merging"}
    desk.prepare()
    return desk


def intents(desk: Desk) -> list[IntentDoc]:
    return list(desk.board.all(IntentDoc))


def test_every_branch_that_is_approved_is_stacked_and_the_more_urgent_first() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("late", priority=5), spec("urgent", "driver-2", priority=0))
    for id in ("T-1", "T-2", "T-3"):
        desk.to_review(id)
        desk.approve(id)
    assert desk.states == {"T-1": "merging", "T-2": "approved", "T-3": "approved"}, "the drain had begun"
    desk.prepare()
    heard = desk.land("T-1")
    assert desk.states == {"T-1": "done", "T-2": "merging", "T-3": "merging"}
    assert [branch.commit for branch in heard.one(MergeRequested).branches] == [sha("T-3 work"), sha("T-2 work")]


def test_who_waits_longer_than_the_ageing_comes_before_a_more_urgent_one() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("late", priority=3), spec("urgent", "driver-2", priority=1))
    desk.to_merging("T-1")
    for id in ("T-2", "T-3"):
        desk.to_review(id)
    desk.approve("T-2")
    desk.wait(hours=3)
    desk.approve("T-3")
    desk.prepare()
    heard = desk.land("T-1")
    assert [branch.task for branch in heard.one(MergeRequested).branches] == ["T-2", "T-3"]


def test_a_merge_is_asked_for_with_dates_that_a_repeat_will_have_too() -> None:
    desk = drain_of(3)
    [first] = [branch.since for branch in desk.board.queue.branches if branch.task == "T-1"]
    desk.wait(minutes=5)
    again = desk.person("cancel", task="T-3").one(MergeRequested)
    assert [branch.task for branch in again.branches] == ["T-1", "T-2"]
    assert (again.branches[0].at, again.at) == (first, desk.board.queue.began_at)


def test_the_merge_commit_says_what_it_lands_and_who_judged_it() -> None:
    [branch] = two_drivers().to_merging("T-1").one(MergeRequested).branches
    message = branch.message.splitlines()
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
    heard = desk.prepare()
    task, [intent] = desk.task("T-1"), intents(desk)
    assert (intent.old, intent.tree, intent.state, intent.tasks) == (sha("base"), task.tree, "open", ("T-1",))
    assert intent.verdict == verdict_field(task.tree, task.gate_hash)
    assert heard.of(GateRequested) == [], "that tree has a verdict"
    request = heard.one(LandRequested)
    assert (request.intent, request.old, request.new) == (intent.id, intent.old, intent.new)
    assert (request.ref, request.tags) == ("refs/heads/callboard/r", {"callboard/r/main/T-1": intent.merges[0]})
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
        heard = desk.hear(LandFinished.model_validate({"intent": intent.id, "outcome": outcome}), "land")
        assert heard.outcome.messages == ()
    assert desk.board.docs == before


def test_a_landing_that_the_board_does_not_know_changes_nothing() -> None:
    desk = two_drivers()
    before = desk.board.docs
    desk.hear(LandFinished(intent="I-9", outcome="landed"), "land")
    assert desk.board.docs == before


# --- stacks ---


def test_a_stack_is_tested_whole_with_the_checks_of_all_and_lands_as_one_commit() -> None:
    desk = drain_of(3, checks=("make own",))
    queue = desk.board.queue
    specs = [desk.task(id).task for id in ("T-1", "T-2", "T-3")]
    assert (queue.asked, queue.branches[2].gate_hash) == (
        queue.branches[2].merge,
        gate_hash(desk.policy, stack_spec(specs)),
    )
    heard = desk.gate_stack()
    [intent] = intents(desk)
    assert (intent.tasks, intent.tree) == (("T-1", "T-2", "T-3"), queue.branches[2].tree)
    assert list(heard.one(LandRequested).tags.values()) == [branch.merge for branch in queue.branches]
    heard = desk.land("T-2")
    assert set(desk.states.values()) == {"done"}
    assert {desk.task(id).landed for id in ("T-1", "T-2", "T-3")} == {intent.new} == {desk.run.head}
    assert any("together with T-2, T-3" in entry for entry in heard.logged)
    assert [one.how for one in desk.board.queue.left] == ["landed"] * 3


def test_the_gate_of_a_stack_runs_each_check_of_its_tasks_once() -> None:
    desk = Desk()
    desk.directions(spec("a", checks=("one", "both")), spec("b", "driver-2", checks=("both", "two")))
    for id in ("T-1", "T-2"):
        desk.to_review(id)
    desk.person("pause")
    for id in ("T-1", "T-2"):
        desk.approve(id)
    desk.person("resume")
    request = desk.prepare().one(GateRequested)
    assert (request.purpose, request.spec.checks) == ("merge", ("one", "both", "two"))


def test_a_red_stack_is_searched_its_green_part_lands_one_is_evicted_and_the_rest_goes_on() -> None:
    desk = drain_of(4)
    assert desk.gate_stack("red").one(GateRequested).commit == desk.board.queue.branches[1].merge, "the middle"
    assert desk.gate_stack("green").one(GateRequested).commit == desk.board.queue.branches[2].merge
    heard = desk.gate_stack("red")
    told = heard.one(ChangesRequested)
    assert told.source == "landing"
    assert told.summary.startswith("`make test` exited 1 with its changes (`a.py`) on top of ")
    assert 'what lands before it: T-1 driver-1/t0 "t0" (`a.py`); T-2 driver-1/t2 "t2" (`a.py`)' in told.summary
    assert [branch.task for branch in heard.one(MergeRequested).branches] == ["T-1", "T-2"]
    assert desk.prepare().of(GateRequested) == [], "that prefix is known to be green"
    assert intents(desk)[0].tasks == ("T-1", "T-2")
    heard = desk.land("T-1")
    assert [branch.task for branch in heard.one(MergeRequested).branches] == ["T-4"]
    desk.prepare("T-4", tree=sha("four on top"))
    desk.gate_stack()
    desk.land("T-4")
    assert {id: state for id, state in desk.states.items() if state == "done"}.keys() == {"T-1", "T-2", "T-4"}
    queue = desk.board.queue
    assert [(run.tasks[-1], run.verdict) for run in queue.runs] == [
        ("T-4", "red"),
        ("T-2", "green"),
        ("T-3", "red"),
        ("T-4", "green"),
    ]
    assert [(one.task, one.how) for one in queue.left] == [
        ("T-3", "evicted"),
        ("T-1", "landed"),
        ("T-2", "landed"),
        ("T-4", "landed"),
    ]


def test_an_evicted_branch_starts_again_on_the_head_with_what_the_gate_printed() -> None:
    desk = second_attempt()
    desk.to_landed("T-2")
    desk.to_merging("T-1")
    desk.prepare("T-1", tree=sha("merged"))
    heard = desk.gate_stack("red")
    assert heard.one(ChangesRequested).source == "landing"
    body = heard.one(TaskAssigned)
    assert body.start == body.base == desk.run.head != sha("base")
    assert 'what landed meanwhile: T-2 driver-2/two "two"' in body.notes[-1].text
    assert [id for intent in intents(desk) for id in intent.tasks] == ["T-2"]


def test_a_tree_that_is_known_to_be_red_is_not_gated_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.prepare("T-1", tree=sha("merged"))
    desk.gate_stack("red")
    desk.to_merging("T-1")
    heard = desk.prepare("T-1", tree=sha("merged"))
    assert heard.of(GateRequested) == []
    assert "`make test` exited 1" in heard.one(ChangesRequested).summary


def test_a_merged_tree_gated_with_other_commands_is_gated_again() -> None:
    desk = two_drivers()
    desk.to_merging("T-1")
    desk.policy = type(desk.policy)(gate=("make more tests",))
    assert desk.prepare().one(GateRequested).purpose == "merge"


def test_what_touches_the_same_files_as_one_before_it_waits_for_that_one() -> None:
    desk = Desk()
    desk.directions(spec("a"), spec("b", "driver-2"))
    for id in ("T-1", "T-2"):
        desk.to_review(id)
    desk.person("pause")
    for id in ("T-1", "T-2"):
        desk.approve(id)
    desk.person("resume")
    desk.prepare("T-2", "waits", paths=("a.py",), other="T-1")
    queue = desk.board.queue
    assert (queue.depth, queue.branches[1].waits) == (1, "touches `a.py` as T-1 before it does")
    heard = desk.land("T-1")
    assert [branch.task for branch in heard.one(MergeRequested).branches] == ["T-2"]


def test_a_verdict_that_comes_for_a_stack_of_before_is_kept_and_moves_nothing() -> None:
    desk = drain_of(3)
    asked = desk.board.queue.branches[2]
    desk.person("cancel", task="T-3")
    before = desk.board.queue
    late = {"commit": asked.merge, "tree": asked.tree, "gate_hash": asked.gate_hash}
    desk.gate("T-3", "red", purpose="merge", **late)
    assert desk.board.queue == before
    assert desk.board.docs[verdict_field(asked.tree, asked.gate_hash)].version == 1


def test_a_flake_of_a_stack_is_recorded() -> None:
    desk = drain_of(2)
    heard = desk.gate_stack(flaky=True)
    assert desk.board.queue.runs[-1].flaky
    assert any("recorded as a flake" in entry for entry in heard.logged)


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
    desk = Desk()
    desk.directions(spec("a"), spec("b", "driver-2"))
    for id in ("T-1", "T-2"):
        desk.to_review(id)
    desk.person("pause")
    for id in ("T-1", "T-2"):
        desk.approve(id)
    desk.person("resume")
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
