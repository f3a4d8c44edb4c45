"""What a brain says it is doing, passed on at a bounded rate: the newest line only."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from callboard.agents.brains.answer import plain

MAX_LINE = 200
"""Characters; what a live view shows of it."""


class Progress:
    """Between a brain that may flood and a bus that shall not be: `report` never waits, `pump` sends."""

    def __init__(self, send: Callable[[str], Awaitable[None]], *, every_s: float) -> None:
        self._send = send
        self._every_s = every_s
        self._newest = ""
        self._sent = ""
        self._said = asyncio.Event()
        self._closed = asyncio.Event()

    async def report(self, text: str) -> None:
        """Take one line; an empty one is nothing to report."""
        # A flood of reports must not keep the loop from what else it has to do.
        await asyncio.sleep(0)
        line = " ".join(plain(text, MAX_LINE).split())
        if line:
            self._newest = line
            self._said.set()

    async def pump(self) -> None:
        """Send the newest line, at most one every `every_s` seconds, until closed. A send under way is finished."""
        while not self._closed.is_set():
            await self._said.wait()
            self._said.clear()
            if self._closed.is_set() or self._newest == self._sent:
                continue
            self._sent = self._newest
            await self._send(self._sent)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._closed.wait()

    def close(self) -> None:
        """Let `pump` end; what was not sent by now is out of date."""
        self._closed.set()
        self._said.set()
