from __future__ import annotations

from typing import Literal

import pytest

from callboard.bus.board import Board, RunDoc
from callboard.bus.errors import RosterError
from callboard.launch.runs import Continue, Start, choose, new_name

State = Literal["created", "running", "paused", "succeeded", "failed", "cancelled"]
UNFINISHED: tuple[State, ...] = ("created", "running", "paused")
ENDED: tuple[State, ...] = ("succeeded", "failed", "cancelled")


def run(state: State, *, landed: bool = False, promoted: bool = False, head: str = "") -> Board:
    left = "head" if landed else "base"
    doc = RunDoc(id="r-1", state=state, base="base", head=head or left, promoted=left if promoted else "")
    return Board({"run": doc})


def test_the_first_launch_starts_a_run_at_the_target() -> None:
    assert choose(None, new=False, start_from="") == Start("target")
    assert choose(None, new=True, start_from="") == Start("target")


@pytest.mark.parametrize("state", UNFINISHED)
@pytest.mark.parametrize("landed", [False, True])
def test_an_unfinished_run_goes_on(state: State, landed: bool) -> None:
    assert choose(run(state, landed=landed), new=False, start_from="") == Continue("r-1")


def test_a_run_that_was_given_up_does_not_go_on_and_what_it_landed_is_not_passed_over() -> None:
    with pytest.raises(RosterError, match="--new --from r-1"):
        choose(run("cancelled", landed=True), new=False, start_from="")
    assert choose(run("cancelled", landed=True, promoted=True), new=False, start_from="") == Start("target")
    assert choose(run("cancelled"), new=False, start_from="") == Start("target")


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_run_that_ended_goes_on_until_its_work_is_promoted(state: State) -> None:
    assert choose(run(state, landed=True), new=False, start_from="") == Continue("r-1")
    assert choose(run(state, landed=True, promoted=True), new=False, start_from="") == Start("target")


@pytest.mark.parametrize("state", ENDED)
def test_after_a_run_that_landed_nothing_a_new_one_starts(state: State) -> None:
    assert choose(run(state), new=False, start_from="") == Start("target")


def test_work_that_landed_after_a_promotion_is_waited_for_too() -> None:
    later = run("succeeded", landed=True, promoted=True, head="later")
    assert choose(later, new=False, start_from="") == Continue("r-1")


@pytest.mark.parametrize("state", [*UNFINISHED, *ENDED])
def test_a_new_run_is_not_started_past_landed_work_unless_somebody_says_from_where(state: State) -> None:
    with pytest.raises(RosterError) as refused:
        choose(run(state, landed=True), new=True, start_from="")
    for way_out in ("callboard promote", "--new --from r-1", "--new --from target"):
        assert way_out in str(refused.value)
    assert choose(run(state, landed=True), new=True, start_from="target") == Start("target")
    assert choose(run(state, landed=True), new=True, start_from="r-1") == Start("r-1")


def test_a_new_run_leaves_one_behind_that_landed_nothing() -> None:
    assert choose(run("running"), new=True, start_from="") == Start("target")


def test_saying_from_where_is_asking_for_a_new_run() -> None:
    assert choose(run("running", landed=True), new=False, start_from="target") == Start("target")


def test_two_runs_of_one_second_have_two_names() -> None:
    taken: list[str] = []
    for _ in range(3):
        taken.append(new_name(taken))
    assert len(set(taken)) == 3
