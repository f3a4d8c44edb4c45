"""`make load` says so where a request failed, an event was missed or a task did not land."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from benchmarks.load.asking import Asked, Listener
from benchmarks.load.figures import figures
from benchmarks.load.working import Worked


def loaded() -> Worked:
    asked = Asked(sent=4, sending_s=2.0, seconds=4.0, took_ms=[40.0, 10.0, 30.0, 20.0])
    return Worked(6.0, 9.0, 2, asked, [Listener(8, 8), Listener(9, 9)], entries=8)


def alone() -> Worked:
    return Worked(4.0, 6.0, 2)


def test_rates_latencies_and_the_slowdown_of_a_round() -> None:
    found = figures([(loaded(), alone())], tasks=2)
    assert (found["requests"], found["sent_per_s"], found["answered_per_s"]) == (4, 2.0, 1.0)
    assert found["latency_ms"] == {"p50": 30.0, "p95": 40.0, "p99": 40.0}
    assert (found["listeners"], found["events"], found["events_per_s"]) == (2, 17, 4.2)
    assert (found["slowdown"], found["cpu_of_the_run"]) == (2 * ({"median": 1.5, "rounds": [1.5]},))
    assert found["is_well"]


def fails(one: Worked) -> None:
    one.asked.errors["/tasks: 500"] += 1


def is_unanswered(one: Worked) -> None:
    one.asked.took_ms.clear()


def misses_one_between(one: Worked) -> None:
    one.listeners[0].events -= 1


def misses_the_last(one: Worked) -> None:
    one.entries = 9


def hears_nothing(one: Worked) -> None:
    one.listeners, one.entries = [Listener()], 0


def is_cut_off(one: Worked) -> None:
    one.listeners[1].error = "the server ended it"


def lands_one_less(one: Worked) -> None:
    one.landed = 1


@pytest.mark.parametrize(
    "happens", [fails, is_unanswered, misses_one_between, misses_the_last, hears_nothing, is_cut_off, lands_one_less]
)
def test_what_went_wrong_is_not_well(happens: Callable[[Worked], None]) -> None:
    one = loaded()
    happens(one)
    assert not figures([(loaded(), alone()), (one, alone())], tasks=2)["is_well"]


def test_a_task_that_did_not_land_with_nobody_asking_is_not_well_either() -> None:
    other = alone()
    lands_one_less(other)
    assert not figures([(loaded(), other)], tasks=2)["is_well"]
