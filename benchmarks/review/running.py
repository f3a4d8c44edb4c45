"""Has all changes judged, several at a time, until there is nothing left of them or of the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.review.changes import Case
from benchmarks.review.lanes import Lane, panel
from benchmarks.review.trio import OutOfBudget, Reviewed

from callboard.agents.brains.purse import Purse


@dataclass(frozen=True, slots=True)
class Done:
    reviewed: tuple[Reviewed, ...]
    """In the order of the cases; what a spent budget left is not there."""
    is_whole: bool
    calls: int
    tokens: int
    micro_usd: int
    unpriced: int
    """Calls whose price nobody knows."""


def folders(below: Path, lanes: int) -> list[Path]:
    found = [below / f"lane-{number}" for number in range(1, lanes + 1)]
    for folder in found:
        folder.mkdir()
    return found


async def review_all(
    lanes: Sequence[Lane], cases: Sequence[Case], purse: Purse, told: Callable[[Reviewed], None]
) -> Done:
    """Judge each case once; every lane takes the next that is left.

    Args:
        told: Hears of each as it is done.
    """
    left = iter(cases)
    found: dict[str, Reviewed] = {}

    async def work(lane: Lane) -> None:
        judges = panel(lane.workspace, purse)
        for case in left:
            try:
                found[case.id] = await judges.review(case, lane.commits[case.id])
            except OutOfBudget:
                # nobody takes another
                for _ in left:
                    pass
                return
            told(found[case.id])

    async with asyncio.TaskGroup() as group:
        for lane in lanes:
            group.create_task(work(lane))
    spent = purse.spent
    reviewed = tuple(found[case.id] for case in cases if case.id in found)
    tokens = spent.input_tokens + spent.output_tokens
    return Done(reviewed, len(reviewed) == len(cases), spent.calls, tokens, spent.micro_usd, spent.unpriced)
