"""A task's lifecycle alone, the same for all: ten messages in five hops.

assign -> accept and evidence -> three review requests -> three verdicts -> merge. It is timed from before the assignment is
sent until the merge is handled. One after the other, so that nothing is gathered that would not be.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from benchmarks.bus.figures import percentile
from benchmarks.bus.job import Report

REVIEWERS = ("senior", "junior-1", "junior-2")
NAMES = ("manager", "driver", *REVIEWERS)
HOPS, MESSAGES = 5, 10
WARM_UP = 20
HEAD = "9f1c2e4b7a6d5c3e8f0a1b2c3d4e5f6a7b8c9d0e"
FILES = ("src/parser.py", "tests/test_parser.py")
NOTES = "The parser reads nested lists now; the three cases of the direction file are tests."


async def timed(
    one: Callable[[int], Awaitable[None]],
    count: int,
    report: Report,
    calls: Callable[[], int] = lambda: 0,
) -> None:
    """Live through `count` tasks and report milliseconds, and round trips for each.

    Args:
        calls: How many commands the server has been sent until now.
    """
    for n in range(WARM_UP):
        await one(n)
    took = list[float]()
    before = calls()
    for n in range(WARM_UP, WARM_UP + count):
        began = time.perf_counter()
        await one(n)
        took.append((time.perf_counter() - began) * 1000)
    trips = (calls() - before) / count
    report(p50=percentile(took, 50), p99=percentile(took, 99), trips=trips)
