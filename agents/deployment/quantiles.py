"""How far two percentiles lie apart, as an interval: the bootstrap without drawing a single sample anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

REPLICATES = 2_000
P95 = 0.95


@dataclass(frozen=True, slots=True)
class Ratio:
    """Green's percentile over Blue's."""

    low: float
    seen: float
    high: float


def p95(ordered: Sequence[float]) -> float:
    return ordered[_rank(len(ordered)) - 1]


def ratio_interval(blue: Sequence[float], green: Sequence[float], *, confidence: float, seed: int) -> Ratio:
    """The percentile bootstrap of the ratio of the p95s.

    The k-th smallest of n values drawn with replacement from n ordered ones is the one at place ceil(n * U), where U is
    the k-th smallest of n uniform numbers, and that is distributed as Beta(k, n - k + 1). So one number stands for a
    whole resample, exactly.

    Args:
        blue: Seconds, in any order, all finite and not negative; at least one. So is `green`.
        confidence: Of the interval, two-sided, such as 0.98.
    """
    one, other = sorted(blue), sorted(green)
    random = Random(seed)
    drawn = sorted(_over(_resampled(other, random), _resampled(one, random)) for _ in range(REPLICATES))
    tail = (1.0 - confidence) / 2
    cut = min(int(tail * REPLICATES), REPLICATES // 2)
    return Ratio(drawn[cut], _over(p95(other), p95(one)), drawn[-1 - cut])


def _rank(count: int) -> int:
    return max(1, math.ceil(P95 * count))


def _resampled(ordered: Sequence[float], random: Random) -> float:
    count, rank = len(ordered), _rank(len(ordered))
    return ordered[min(count, max(1, math.ceil(count * random.betavariate(rank, count - rank + 1)))) - 1]


def _over(green: float, blue: float) -> float:
    return green / blue if blue > 0 else (1.0 if green <= 0 else math.inf)
