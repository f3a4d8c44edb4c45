"""Has all changes judged, several at a time, until there is nothing left of them or of the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from benchmarks.review.changes import Case
from benchmarks.review.lanes import Lane, panel
from benchmarks.review.trio import NotNow, Reviewed

from callboard.agents.brains.budget import Budget
from callboard.bus.caps import Spent
from callboard.bus.errors import CallboardError


class Counted(Budget, Protocol):
    """A budget that says what was spent of it."""

    @property
    def spent(self) -> Spent: ...


@dataclass(frozen=True, slots=True)
class Done:
    reviewed: tuple[Reviewed, ...]
    """In the order of the cases; what was not judged is not there."""
    is_whole: bool
    calls: int
    tokens: int
    micro_usd: int
    unpriced: int
    """Calls whose price nobody knows."""
    stopped: str = ""
    """Why the rest was left; "" = it was not."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Id of a change that could not be judged -> why."""


def folders(below: Path, lanes: int) -> list[Path]:
    found = [below / f"lane-{number}" for number in range(1, lanes + 1)]
    for folder in found:
        folder.mkdir()
    return found


async def review_all(
    lanes: Sequence[Lane],
    cases: Sequence[Case],
    budget: Counted,
    told: Callable[[Reviewed], None],
    known: Mapping[str, Reviewed] | None = None,
) -> Done:
    """Judge each case once; every lane takes the next that is left. One that cannot be judged keeps no other from it.

    Args:
        told: Hears of each as it is done.
        known: By id; they are not judged again.
    """
    found, failed, stopped = dict(known or {}), dict[str, str](), list[str]()
    left = iter([case for case in cases if case.id not in found])

    async def work(lane: Lane) -> None:
        judges = panel(lane.workspace, budget)
        for case in left:
            try:
                found[case.id] = await judges.review(case, lane.commits[case.id])
            except NotNow as error:
                stopped.append(str(error))
            except (CallboardError, OSError) as error:
                failed[case.id] = str(error)
            else:
                told(found[case.id])
            if stopped:
                return

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(work(lane))
    spent = budget.spent
    reviewed = tuple(found[case.id] for case in cases if case.id in found)
    tokens = spent.input_tokens + spent.output_tokens
    counts = (spent.calls, tokens, spent.micro_usd, spent.unpriced)
    return Done(reviewed, len(reviewed) == len(cases), *counts, next(iter(stopped), ""), failed)
