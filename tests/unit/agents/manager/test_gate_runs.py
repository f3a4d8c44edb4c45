"""A tier's gates: two for each of its tasks, then a person is asked before anything more of it begins."""

from __future__ import annotations

import pytest
from desk_board import ROSTER, Desk, spec

from callboard.agents.manager import gate_runs
from callboard.bus.caps import Limits, Worked, read_amount, shown
from callboard.bus.task import CommandResult

TIER = "tier:setup"


def tiered(tasks: int = 1, after: tuple[str, ...] = ("driver-1/t0",), **limits: int) -> Desk:
    """A tier whose other tasks wait for its first, and a task of none."""
    desk = Desk(started=False)
    desk.launch(limits=Limits.model_validate(limits))
    desk.start(*ROSTER)
    desk.directions(
        *(spec(f"t{n}", tier="setup", budget={"attempts": 9}, depends_on=after if n else ()) for n in range(tasks)),
        spec("alone", "driver-2"),
    )
    return desk


def red(desk: Desk, times: int) -> None:
    """Each for another reason: the same one twice would be stuck."""
    for _ in range(times):
        desk.hand_in("T-1")
        said = "x" * desk.task("T-1").attempt
        desk.gate("T-1", "red", commands=(CommandResult(command="x", exit_code=1, duration_s=1, digest="", tail=said),))


def runs(desk: Desk) -> int:
    return desk.board.budget.worked.get(TIER, Worked()).gate_runs


def waits(desk: Desk, id: str) -> bool:
    """It is given to nobody, and with the next message blocked by the question."""
    was = desk.task(id).state
    desk.wait(minutes=1)
    desk.accept("T-1")
    return was in ("changes_requested", "blocked") and desk.task(id).state == "blocked"


@pytest.mark.parametrize("tasks", [1, 2])
@pytest.mark.parametrize("beyond", [-1, 0])
def test_so_many_runs_ask_nobody_below_two_a_task_and_a_person_at_it(tasks: int, beyond: int) -> None:
    desk = tiered(tasks)
    red(desk, 2 * tasks + beyond)
    is_full = beyond == 0
    assert runs(desk) == 2 * tasks + beyond
    assert (TIER in gate_runs.full(desk.board)) is is_full
    assert (desk.task("T-1").state == "assigned") is not is_full
    assert [desk.question("q-1").scope] == ([TIER] if is_full else [""])


def test_the_question_says_what_is_spent_and_how_to_raise_it() -> None:
    desk = tiered()
    red(desk, 2)
    assert desk.question("q-1").text == (
        "the budget of tier setup is spent: 2 gate runs of 2 gate runs. Answer with a new cap, such as 4, or stop."
    )
    assert waits(desk, "T-1")
    assert desk.run.state == "running", "tasks of no tier go on"


def test_one_more_run_than_before_is_one_more_and_then_a_person_is_asked_again() -> None:
    desk = tiered()
    red(desk, 2)
    assert desk.person("answer", question="q-1", text="2").reply.ok is False
    assert desk.person("answer", question="q-1", text="3 gate runs").reply.ok
    assert desk.task("T-1").state == "assigned"
    red(desk, 1)
    assert (runs(desk), desk.question("q-2").scope) == (3, TIER)


def test_the_last_run_that_is_green_lands_and_nobody_is_asked() -> None:
    desk = tiered()
    red(desk, 1)
    desk.to_landed("T-1")
    assert (desk.states["T-1"], desk.question("q-1").version) == ("done", 0)


def test_what_is_in_review_at_the_cap_lands_all_the_same() -> None:
    desk = tiered(2, after=())
    desk.to_review("T-1")
    for _ in range(3):
        desk.hand_in("T-2")
        desk.gate("T-2", "red")
    assert waits(desk, "T-2")
    desk.approve("T-1")
    desk.prepare("T-1")
    assert desk.land("T-1").outcome
    assert desk.states["T-1"] == "done"


def test_the_number_is_settable_and_a_raise_in_the_file_lets_go_what_waited() -> None:
    desk = tiered(tier_gate_runs_per_task=1)
    red(desk, 1)
    assert waits(desk, "T-1")
    desk.person("resume", limits=Limits(tier_gate_runs_per_task=2))
    assert desk.task("T-1").state == "assigned"


def test_stop_fails_what_is_open_of_the_tier() -> None:
    desk = tiered()
    red(desk, 2)
    desk.person("answer", question="q-1", text="stop")
    assert desk.task("T-1").state == "failed"


def test_the_gate_of_a_stack_is_one_run_for_each_tier_that_has_a_task_in_it() -> None:
    desk = Desk()
    tiers = ("setup", "setup", "serve", "main")
    desk.directions(*(spec(f"t{n}", f"driver-{n % 2 + 1}", tier=tier) for n, tier in enumerate(tiers)))
    for n in range(1, 5):
        desk.to_review(f"T-{n}")
    before = {scope: known.gate_runs for scope, known in desk.board.budget.worked.items()}
    desk.person("pause")
    for n in range(1, 5):
        desk.approve(f"T-{n}")
    desk.person("resume")
    desk.prepare()
    desk.gate_stack("red")
    after = {scope: known.gate_runs - before.get(scope, 0) for scope, known in desk.board.budget.worked.items()}
    assert {scope: after[scope] for scope in (TIER, "tier:serve")} == {TIER: 1, "tier:serve": 1}


def test_gates_that_said_nothing_about_the_tree_are_not_counted() -> None:
    desk = tiered()
    desk.hand_in("T-1")
    desk.gate("T-1", "infrastructure")
    assert runs(desk) == 0


def test_amounts_are_written_and_read_alike() -> None:
    assert shown("gate_runs", 1_200) == "1,200 gate runs"
    assert [read_amount("gate_runs", text) for text in ("7", "7 gate runs", "7 runs", "$7", "7 tokens")] == [
        7,
        7,
        7,
        None,
        None,
    ]
