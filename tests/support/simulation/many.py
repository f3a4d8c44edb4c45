"""Many schedules, on all processors."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context

from loguru import logger

from simulation.bus import Walls
from simulation.roster import ALL, drawn_tasks
from simulation.schedule import CALM, End, Schedule

CHUNK = 20


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one schedule."""

    seed: int
    faults: int
    wrong: str
    """How it differs from the undisturbed run, or which rule it broke; "" = neither."""


@cache
def undisturbed(tasks: frozenset[str] = ALL) -> End:
    return Schedule(0, CALM, tasks=tasks).run()


def outcome(
    seed: int, *, tasks: frozenset[str] | None = None, walls: Walls | None = None, guarded: bool = True
) -> Result:
    """
    Args:
        tasks: None = those of the seed.
    """
    tasks = drawn_tasks(seed) if tasks is None else tasks
    schedule, calm = Schedule(seed, tasks=tasks, walls=walls, guarded=guarded), undisturbed(tasks)
    try:
        end = schedule.run()
    except AssertionError as error:
        return Result(seed, schedule.faults, f"{error}" or "a rule of the manager's own was broken")
    differing = [name for name in ("run", "tasks", "files", "questions") if getattr(end, name) != getattr(calm, name)]
    return Result(seed, schedule.faults, f"{' and '.join(differing)} differ" if differing else "")


def _hush() -> None:
    logger.remove()


def outcomes(seeds: Iterable[int]) -> Generator[Result]:
    """One after the other as they end, in order of their seeds. Whoever has enough closes the iterator."""
    # Not forked: the process of the tests has threads.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), initializer=_hush) as pool:
        yield from pool.map(outcome, seeds, chunksize=CHUNK)
