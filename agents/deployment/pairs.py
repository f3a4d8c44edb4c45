"""Asks Blue and Green in turn, so that whatever else the machine does falls on both alike."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from random import Random
from urllib.parse import urlsplit

from callboard.agents.deployment.samples import Sample

TIMEOUT_S = 10.0
"""For one request."""
SERVER_ERROR = 500

Place = tuple[str, str]
"""A release and its address, `http://host:port`; "" = it does not run."""


async def ask_pairs(
    blue: Place, green: Place, path: str, count: int, *, within_s: float, clock: Callable[[], float], seed: int = 0
) -> list[Sample]:
    """Ask both so many times, the order of each pair by chance.

    Args:
        within_s: The pairs are spread over this time; 0 = as fast as they are answered.
        clock: Seconds since 1970.
    """
    order, samples = Random(seed), list[Sample]()
    lines = [_Line(*blue), _Line(*green)]
    try:
        for n in range(count):
            began = time.monotonic()
            for line in lines if order.random() < 0.5 else lines[::-1]:
                samples.append(await asyncio.to_thread(line.ask, path, clock))
            if n + 1 < count:
                await asyncio.sleep(max(0.0, within_s / count - (time.monotonic() - began)))
    finally:
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

    def ask(self, path: str, clock: Callable[[], float]) -> Sample:
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
