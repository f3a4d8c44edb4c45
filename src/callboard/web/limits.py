"""How much one caller may ask: a bucket of requests for each, filled again as time goes by."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

BURST_S = 10
"""A bucket holds what these seconds bring: a page of the dashboard asks for several things at once."""
MOST_BUCKETS = 10_000
"""Of the callers that were heard last; whoever is forgotten has had no request for long, or many come and go."""


class Rates:
    """For one process.

    Args:
        per_minute: Requests of one caller.
        clock: Seconds that only go up.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_minute / 60
        self._most = max(1.0, self._per_s * BURST_S)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> int:
        """Count one request; 0 = it may be done, else after how many seconds it may be tried again."""
        now = self._clock()
        left, at = self._buckets.pop(caller, (self._most, now))
        left = min(self._most, left + (now - at) * self._per_s)
        waits = 0 if left >= 1 else math.ceil((1 - left) / self._per_s)
        self._buckets[caller] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return waits
