from __future__ import annotations

import pytest

from callboard.launch.restarts import Down, Restart, decide


def test_the_first_death_is_followed_by_a_start_at_once_or_nearly() -> None:
    assert decide([100.0], 100.0) == Restart(0.2)


def test_each_further_death_doubles_the_wait() -> None:
    waits = [decide([100.0 + n for n in range(count)], 105.0) for count in (1, 2, 3, 4)]
    assert waits == [Restart(0.2), Restart(0.4), Restart(0.8), Restart(1.6)]


def test_five_deaths_within_a_minute_are_down() -> None:
    assert decide([0.0, 10.0, 20.0, 30.0, 59.0], 59.0) == Down(5)


@pytest.mark.parametrize("first", [-0.001, -60.0])
def test_deaths_longer_ago_than_a_minute_are_forgotten(first: float) -> None:
    assert decide([first, 10.0, 20.0, 30.0, 59.999], 59.999) == Restart(1.6)


def test_an_agent_that_dies_now_and_then_is_always_started_again() -> None:
    deaths = [float(n) for n in range(0, 10_000, 20)]
    assert {type(decide(deaths[: n + 1], deaths[n])) for n in range(len(deaths))} == {Restart}
    assert decide(deaths, deaths[-1]) == Restart(0.8)
