"""From approved to landed: stacks of what is approved, only what is green and reviewed as it lands, intent before move."""

from __future__ import annotations

from desk_board import Desk, sha, spec
from drains import drain_of, intents, two_drivers

from callboard.agents.manager.verdicts import verdict_field
from callboard.bus.messages import (
    GateRequested,
    LandFinished,
    LandRequested,
    MergeLanded,
    MergeRequested,
    TaskClosed,
)


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
