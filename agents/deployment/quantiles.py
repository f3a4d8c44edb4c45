"""How far two p95s lie apart, as an interval: a bootstrap over blocks of time, each with answers of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

REPLICATES = 1_000
P95 = 0.95
BLOCK = 100
"""Answers of the one that has fewer, in one block. What a computer does to both at once stays within a block and cancels out."""
QUARTERS = 4
_LEAST_S = 1e-6
"""Of an answer; nothing is faster, and a ratio needs something to divide by."""

Block = tuple[Sequence[float], Sequence[float]]
"""Seconds of Blue's and of Green's answers in one span of time."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """Green's p95 over Blue's."""

    low: float
    seen: float
    high: float
    least: float
    """What is seen in the quarter of the time in which it is smallest."""


def ratio_interval(blocks: Sequence[Block], *, confidence: float, seed: int) -> Ratio:
    """The percentile bootstrap of the middle half's mean of the blocks' ratios.

    Single answers are not drawn anew: those of one moment resemble each other, and an interval that takes them for
    independent finds differences that are none.

    Args:
        blocks: In the order of time, at least one for each quarter, none with an empty side.
        confidence: Of the interval, two-sided, such as 0.98.
    """
    logs = [math.log(p95(green) / p95(blue)) for blue, green in blocks]
    random, count = Random(seed), len(logs)
    pairs = [(logs[n], logs[(n + 1) % count]) for n in range(count)]  # two at a time: neighbours resemble each other
    drawn = sorted(
        _middle([log for pair in random.choices(pairs, k=(count + 1) // 2) for log in pair]) for _ in range(REPLICATES)
    )
    cut = min(int((1.0 - confidence) / 2 * REPLICATES), REPLICATES // 2)
    quarters = [logs[count * n // QUARTERS : count * (n + 1) // QUARTERS] for n in range(QUARTERS)]
    low, seen, high, least = drawn[cut], _middle(logs), drawn[-1 - cut], min(map(_middle, quarters))
    return Ratio(*map(math.exp, (low, seen, high, least)))


def p95(values: Sequence[float]) -> float:
    """Between the two values around place 0.95 (n + 1), so that few values say the same as many."""
    ordered = sorted(values)
    place = P95 * (len(ordered) + 1) - 1
    below = min(max(math.floor(place), 0), len(ordered) - 1)
    above = min(below + 1, len(ordered) - 1)
    share = min(max(place - below, 0.0), 1.0)
    return max(_LEAST_S, ordered[below] * (1 - share) + ordered[above] * share)


def _middle(values: Sequence[float]) -> float:
    """The mean of the middle half: a burst that hits one of the two alone does not move it."""
    ordered = sorted(values)
    off = len(ordered) // 4
    kept = ordered[off : len(ordered) - off]
    return sum(kept) / len(kept)
