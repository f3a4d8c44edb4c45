"""What is approved together is stacked and tested together; a red stack is searched, and one branch is evicted."""

from __future__ import annotations

from desk_board import Desk, sha, spec
from drains import drain_of, drain_to_stack, intents, second_attempt, two_drivers

from callboard.agents.manager.verdicts import gate_hash, stack_spec, verdict_field
from callboard.bus.messages import (
    ChangesRequested,
    GateRequested,
    LandRequested,
    MergeRequested,
    TaskAssigned,
)

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
    desk = drain_to_stack(2)
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
