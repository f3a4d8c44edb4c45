"""Which slot a release gets, what becomes of who was in it, and which releases stay startable."""

from __future__ import annotations

import pytest

from callboard.agents.deployment.state import EnvironmentState, ReleaseRecord, outdated, placed
from callboard.agents.deployment.target import Slot
from callboard.bus.errors import DeployFailed

BOTH = EnvironmentState(
    releases=(
        ReleaseRecord(id="r-1", commit="1" * 40, slot="a", port=1001, since=1.0),
        ReleaseRecord(id="r-2", commit="2" * 40, slot="b", port=1002, since=2.0),
    ),
    slots={"a": "r-1", "b": "r-2"},
    weights={"r-1": 25, "r-2": 75},
)


def test_the_first_release_gets_the_first_slot_and_no_requests() -> None:
    state = placed(EnvironmentState(), "r-1", "1" * 40, lambda release: False, 7.0)
    assert (state.slots, state.weights, state.intent) == ({"a": "r-1"}, {}, "up r-1")
    assert state.holders() == (ReleaseRecord(id="r-1", commit="1" * 40, slot="a", since=7.0),)


@pytest.mark.parametrize(("dead", "slot"), [("r-1", "a"), ("r-2", "b")])
def test_a_release_takes_the_slot_in_which_nothing_runs_and_the_share_of_who_was_there_is_gone(
    dead: str, slot: Slot
) -> None:
    state = placed(BOTH, "r-3", "3" * 40, lambda release: release != dead, 7.0)
    assert state.slots[slot] == "r-3"
    assert state.weights == {name: share for name, share in BOTH.weights.items() if name != dead}
    assert [one.id for one in state.releases] == ["r-1", "r-2", "r-3"], "what is out of its slot stays startable"


def test_where_both_run_nobody_is_put_out() -> None:
    with pytest.raises(DeployFailed, match="release r-3 has no place: r-1 and r-2 run"):
        placed(BOTH, "r-3", "3" * 40, lambda release: True, 7.0)


def test_a_release_that_has_its_slot_keeps_it_with_port_and_share() -> None:
    state = placed(BOTH, "r-2", "2" * 40, lambda release: False, 7.0)
    assert state == BOTH.model_copy(update={"intent": "up r-2"})


def test_one_that_comes_back_is_the_newest_and_is_placed_anew() -> None:
    old = BOTH.model_copy(update={"slots": {"b": "r-2"}, "weights": {"r-2": 100}})
    state = placed(old, "r-1", "1" * 40, lambda release: release == "r-2", 7.0)
    assert [(one.id, one.slot, one.port, one.since) for one in state.releases] == [
        ("r-2", "b", 1002, 2.0),
        ("r-1", "a", 0, 7.0),
    ]
    assert state.weights == {"r-2": 100}


def test_a_name_means_one_commit() -> None:
    with pytest.raises(DeployFailed, match="release r-2 is commit 222222222222, not 333333333333"):
        placed(BOTH, "r-2", "3" * 40, lambda release: False, 7.0)


def test_the_last_three_stay_startable_and_so_does_what_is_in_a_slot() -> None:
    releases = tuple(ReleaseRecord(id=f"r-{n}", commit="c" * 40, slot="a") for n in range(1, 7))
    state = EnvironmentState(releases=releases, slots={"a": "r-1", "b": "r-6"})
    assert [one.id for one in outdated(state)] == ["r-2", "r-3"]
