"""How long a launch waits: for what moves by itself, for agents from outside, for people."""

from __future__ import annotations

import pytest
from desk_board import Desk, spec

from callboard.agents.manager.outlook import awaited_outside, outlook
from callboard.bus.messages import TaskProgressed
from callboard.launch.patience import DEAD_S, SETTLED_S, Patience

OUTSIDERS = {"driver-2": 3600.0}


def over_at(desk: Desk, patience: Patience, now: float, *, is_busy: bool = False, has_dead: bool = False) -> bool:
    return patience.is_over(desk.board, is_busy=is_busy, has_dead=has_dead, now=now)


def with_work_for_both(*, started: bool) -> Desk:
    desk = Desk(started=started)
    desk.start("driver-1")
    desk.directions(spec("one"), spec("two", "driver-2"))
    return desk


def test_an_absent_agent_from_outside_is_waited_for_as_long_as_its_attempt_may_take() -> None:
    desk = with_work_for_both(started=False)
    patience = Patience(OUTSIDERS, 0)
    assert awaited_outside(desk.board, ["driver-2"]) == (), "driver-1 is at work"
    assert not over_at(desk, patience, 10_000)
    desk.fail("T-1")
    desk.person("cancel", task="T-1")
    assert (outlook(desk.board), awaited_outside(desk.board, ["driver-2"])) == ("moving", ("driver-2",))
    assert not over_at(desk, patience, 10_001)
    assert not over_at(desk, patience, 13_601)
    assert over_at(desk, patience, 13_602)
    assert awaited_outside(desk.board, []) == (), "one that is launched comes by itself"


def test_one_that_gives_a_sign_is_waited_for_anew_and_one_that_ended_without_a_word_is_not() -> None:
    desk = with_work_for_both(started=True)
    desk.person("cancel", task="T-1")
    desk.accept("T-2")
    patience = Patience(OUTSIDERS, 0)
    assert not over_at(desk, patience, 1)
    desk.hear(TaskProgressed(doing="reading"), "driver-2", "T-2")
    assert not over_at(desk, patience, 3_602)
    assert over_at(desk, patience, 7_203)


def test_what_others_have_in_hand_holds_a_launch_as_ever() -> None:
    desk = with_work_for_both(started=True)
    desk.person("cancel", task="T-1")
    desk.to_review("T-2")
    patience = Patience(OUTSIDERS, 0)
    assert not over_at(desk, patience, 100_000), "reviews have a deadline of their own"


@pytest.mark.parametrize(("is_awaited", "limit_s"), [(True, 3600.0), (False, DEAD_S)])
def test_dead_letters_end_a_launch_soon_but_not_under_the_hands_of_an_agent_from_outside(
    is_awaited: bool, limit_s: float
) -> None:
    desk = with_work_for_both(started=True)
    desk.person("cancel", task="T-1")
    patience = Patience(OUTSIDERS if is_awaited else {}, 0)
    assert not over_at(desk, patience, 1, has_dead=False)
    assert not over_at(desk, patience, 1 + limit_s, has_dead=True)
    assert over_at(desk, patience, 2 + limit_s, has_dead=True)


def test_what_is_on_its_way_and_a_pause_by_a_person_count() -> None:
    desk = with_work_for_both(started=True)
    patience = Patience(OUTSIDERS, 0)
    desk.person("pause")
    assert (outlook(desk.board), awaited_outside(desk.board, ["driver-2"])) == ("moving", ())
    desk.fail("T-1")
    assert awaited_outside(desk.board, ["driver-2"]) == ("driver-2",), "it alone still holds something"
    desk.fail("T-2")
    assert (outlook(desk.board), awaited_outside(desk.board, ["driver-2"])) == ("people", ())
    assert not over_at(desk, patience, 5, is_busy=True)
    assert not over_at(desk, patience, 5 + SETTLED_S)
    assert over_at(desk, patience, 6 + SETTLED_S)
