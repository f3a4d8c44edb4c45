"""Connections to the bus, shared by the requests of one process; those that were used last stay open."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

from callboard.bus.bus import Bus

MOST = 16
"""Runs whose connections stay open while nobody uses them: whoever looks through old runs leaves no more."""


@dataclass(slots=True)
class _Line:
    bus: asyncio.Task[Bus]
    users: int = 0

    @property
    def has_failed(self) -> bool:
        return self.bus.done() and (self.bus.cancelled() or self.bus.exception() is not None)


class Lines:
    """One connection for each run that is asked about.

    Args:
        connect: Makes the connection to a run.
    """

    def __init__(self, connect: Callable[[str], Coroutine[object, object, Bus]], most: int = MOST) -> None:
        self._connect = connect
        self._most = most
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    def __len__(self) -> int:
        return len(self._lines)

    @asynccontextmanager
    async def to(self, run: str) -> AsyncIterator[Bus]:
        """A run's bus. Nobody waits for another run's.

        Raises:
            BusUnavailable: No server answers; the next one who asks tries again.
        """
        line = self._lines.pop(run, None)
        if line is None or line.has_failed:
            line = _Line(asyncio.create_task(self._connect(run)))
        self._lines[run] = line  # the last one used stands last
        line.users += 1
        try:
            yield await asyncio.shield(line.bus)
        finally:
            line.users -= 1
            await self._close_idle(self._most)

    async def close(self) -> None:
        await self._close_idle(0)

    async def _close_idle(self, most: int) -> None:
        for run in [run for run, line in self._lines.items() if not line.users]:
            if len(self._lines) <= most:
                return
            await _end(self._lines.pop(run))


async def _end(line: _Line) -> None:
    if line.bus.done() and not line.has_failed:
        await line.bus.result().close()
    else:
        line.bus.cancel()
        await asyncio.gather(line.bus, return_exceptions=True)
