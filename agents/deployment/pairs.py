"""Asks Blue and Green in turn, so that whatever else the machine does falls on both alike."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from random import Random
from threading import Event
from urllib.parse import urlsplit

from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.times import Clock

TIMEOUT_S = 10.0
"""For one request."""
LANES = 8
"""How many pairs are under way at once, so that slow answers do not make them rare."""
SERVER_ERROR = 500

Side = tuple[str, str]
"""A release and its address, `http://host:port`; "" = it does not run."""


async def ask_pairs(
    blue: Side, green: Side, path: str, count: int, *, within_s: float, clock: Clock, seed: int
) -> list[Sample]:
    """Ask both so many times, the order of each pair by chance; in the order in which they were answered.

    Args:
        seed: Draws the orders; another one for each call, or all calls have the same.
        within_s: The pairs are spread over this time; 0 = as fast as they are answered.
    """
    stop, pool = Event(), ThreadPoolExecutor(LANES, "pairs")
    loop = asyncio.get_running_loop()

    def lane(number: int) -> list[Sample]:
        own = range(number, count, LANES)
        return _asked(
            [_Line(*blue), _Line(*green)], path, [within_s * n / count for n in own], clock, stop, seed * LANES + number
        )

    try:
        lanes = await asyncio.gather(*(loop.run_in_executor(pool, lane, number) for number in range(LANES)))
    finally:
        stop.set()
        pool.shutdown(wait=False)
    return sorted((sample for samples in lanes for sample in samples), key=lambda one: one.at)


def _asked(lines: list[_Line], path: str, begin_s: list[float], clock: Clock, stop: Event, seed: int) -> list[Sample]:
    """One lane: a pair at each of these seconds from now, or when the one before it has ended."""
    order, began, samples = Random(seed), time.monotonic(), list[Sample]()
    for at in begin_s:
        if stop.wait(max(0.0, at - (time.monotonic() - began))):
            break
        samples += [line.ask(path, clock) for line in (lines if order.random() < 0.5 else lines[::-1])]
    for line in lines:
        line.close()
    return samples


class _Line:
    """One kept-alive connection to a release."""

    def __init__(self, release: str, address: str) -> None:
        self._release = release
        parts = urlsplit(address)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S) if parts.hostname else None

    def ask(self, path: str, clock: Clock) -> Sample:
        began = time.perf_counter()
        status = self._status(path)
        seconds = time.perf_counter() - began
        return Sample(clock(), self._release, 0 < status < SERVER_ERROR, seconds, status, "pair")

    def _status(self, path: str) -> int:
        if self._connection is None:
            return 0
        try:
            self._connection.request("GET", path, headers={"User-Agent": "callboard"})
            with self._connection.getresponse() as response:
                response.read()
                return response.status
        except (OSError, HTTPException):
            self.close()
            return 0

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
