"""The manager's two halves, as `manager_machine` plays them, at random and with a kill at every step."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis.stateful import (
    run_state_machine_as_test,
)
from manager_machine import Evicting, Manager
from manager_world import DeskProcess

from callboard.bus.board import IntentDoc

TestManager = Manager.TestCase
TestManager.settings = settings(max_examples=30, stateful_step_count=80)
"""Half the profile's examples: the long test below has a thousand longer ones."""


@pytest.mark.long
def test_the_manager_at_length() -> None:
    """The same over many more and longer worlds; the machine's own invariants are what is asserted."""
    run_state_machine_as_test(Manager, settings=settings(max_examples=1_000, stateful_step_count=150))


def breaks(steps: int, *, guarded: bool) -> bool:
    """Whether the world ends badly when a replaced manager decides one message after `steps` of its successor's."""
    machine = Manager()
    machine.world.guarded = guarded
    machine.launch()
    replaced, successor = machine.managers[0], DeskProcess(machine.world.board)
    for _ in range(steps):
        machine._handle_one(successor)
    if inbox := machine.world.inboxes["manager"]:
        machine.world.desk(replaced, inbox[0])
    try:
        machine.the_ref_only_moved_to_judged_trees()
        machine.no_task_lands_twice()
        machine.teardown()
    except AssertionError:
        return True
    return False


def test_a_replaced_manager_changes_nothing_at_any_moment() -> None:
    assert [steps for steps in range(110) if breaks(steps, guarded=True)] == []


def test_without_the_guard_a_replaced_manager_breaks_the_run() -> None:
    assert [steps for steps in range(110) if breaks(steps, guarded=False)]


STEPS = 140


def after_a_kill(at: int, kind: type[Manager]) -> Manager:
    """A whole run, in which whoever handles the message after `at` others is killed before its commit: desk, hand or gate.

    A hand may have moved the branch by then.
    """
    machine = kind()
    machine.launch()
    world, process = machine.world, DeskProcess(machine.world.board)
    for step in range(STEPS):
        inbox, message = next(((name, waiting[0]) for name, waiting in world.inboxes.items() if waiting), ("", None))
        if message is None:
            break
        killed = step == at
        if inbox == "manager" and killed:
            process = DeskProcess(world.board)
        elif inbox == "land":
            world.land(message, killed=killed)
        elif inbox == "gate":
            machine._gate(message, killed=killed)
        else:
            machine._handle_one(process)
        machine.the_ref_only_moved_to_judged_trees()
    machine.no_task_lands_twice()
    machine.teardown()
    return machine


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "left"),
    [(Manager, {"landed", "conflict"}), (Evicting, {"landed", "conflict", "evicted"})],
    ids=["a conflict", "an eviction"],
)
def test_a_manager_that_is_killed_at_any_step_closes_each_task_once_and_loses_no_branch(
    kind: type[Manager], left: set[str]
) -> None:
    calm = after_a_kill(-1, kind).world
    landed = {id for intent in calm.board.all(IntentDoc) for id in intent.tasks}
    assert {one.how for one in calm.board.queue.left} == left, "two of them write the same file"
    for at in range(STEPS):
        board = after_a_kill(at, kind).world.board
        assert {id for intent in board.all(IntentDoc) for id in intent.tasks} == landed, at
        assert {task.id: task.state for task in board.tasks()} == {task.id: task.state for task in calm.board.tasks()}
        assert not board.queue.branches
