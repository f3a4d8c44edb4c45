"""T16: whatever is lost, repeated, reordered, delayed, killed or paused on the way, the run ends as the undisturbed one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest
from simulation.bus import Walls
from simulation.many import outcome, outcomes, undisturbed
from simulation.roster import ALL, drawn_tasks
from simulation.schedule import CALM, Schedule

FEW = 25


def test_the_undisturbed_run_succeeds_with_every_setback_in_it() -> None:
    end = undisturbed()
    assert end.run == "succeeded"
    assert {state for _, state, _ in end.tasks} == {"done"}
    assert sum(attempts for _, _, attempts in end.tasks) == 13
    assert [text for _, text in end.questions] == ["so", "yes"]
    assert Schedule(1, CALM).run() == end


def test_any_of_its_tasks_alone_come_to_a_good_end() -> None:
    chosen = {drawn_tasks(seed) for seed in range(60)}
    assert len(chosen) > 20
    assert {undisturbed(tasks).run for tasks in chosen} == {"succeeded"}
    assert all({key.partition("/")[2] for key, _, _ in undisturbed(tasks).tasks} == tasks for tasks in chosen)


def test_disturbed_runs_end_as_the_undisturbed_one(seed: int) -> None:
    found = [outcome(seed + n, tasks=ALL) for n in range(FEW)]
    assert [each for each in found if each.wrong] == []
    assert sum(each.faults for each in found) > 50 * FEW


def test_a_seed_gives_the_same_schedule_again(seed: int) -> None:
    told: list[list[str]] = [[], []]
    for lines in told:
        Schedule(seed, tell=lines.append).run()
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("walls", "guarded", "first"),
    [
        (Walls(deduplication=False), True, 108),
        (Walls(fence=False, deduplication=False), True, 108),
        (Walls(), False, 1),
    ],
    ids=["without deduplication", "without fence and deduplication", "without comparing versions"],
)
def test_without_a_wall_some_runs_end_wrongly(walls: Walls, guarded: bool, first: int) -> None:
    """Without the fence alone none does: what a replaced process commits is a repeat, or stale. T3 shows what the fence holds.

    `first` is a seed that ends wrongly today; after a change of the roster it may be one of the next.
    """
    assert any(outcome(seed, tasks=ALL, walls=walls, guarded=guarded).wrong for seed in range(first, first + 300))


@pytest.mark.long
@pytest.mark.timeout(1_500)
def test_ten_thousand_schedules_end_as_the_undisturbed_run(seed: int, time_is_up: Callable[[], bool]) -> None:
    print(f"seeds from {seed}")
    results, done = outcomes(range(seed, seed + 10_000)), 0
    while not time_is_up() and (part := list(islice(results, 500))):
        assert [each for each in part if each.wrong] == []
        done += len(part)
    results.close()
    print(f"{done} schedules")
