"""The embedded server of a stopped roster, for requests: those that come together share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from callboard.bus.bus import Bus

JOINABLE_S = 1.0
"""After this nobody joins any more: commands and a launch wait for their turn with the server."""


@dataclass(slots=True)
class _Turn:
    run: str
    """Of whoever began it."""
    until: float
    users: int = 0
    bus: asyncio.Future[Bus] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    is_left: asyncio.Event = field(default_factory=asyncio.Event)


class AtRest:
    """Turns with the server, one after the other.

    Args:
        opens: The bus of a run, with a server that runs until the end.
        connect: Another run's bus, while that server runs.
    """

    def __init__(
        self,
        opens: Callable[[str], AbstractAsyncContextManager[Bus]],
        connect: Callable[[str], Awaitable[Bus]],
    ) -> None:
        self._opens = opens
        self._connect = connect
        self._turn: _Turn | None = None
        self._held: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def bus(self, run: str) -> AsyncIterator[Bus]:
        """A run's bus.

        Raises:
            BusUnavailable: The server cannot be started.
        """
        turn = self._join(run)
        try:
            first = await asyncio.shield(turn.bus)
            if run == turn.run:
                yield first
            else:
                async with await self._connect(run) as other:
                    yield other
        finally:
            turn.users -= 1
            if not turn.users:
                turn.is_left.set()
                if self._turn is turn:
                    self._turn = None

    def _join(self, run: str) -> _Turn:
        now, turn = asyncio.get_running_loop().time(), self._turn
        if turn is None or now > turn.until:
            turn = self._turn = _Turn(run, now + JOINABLE_S)
            self._held = asyncio.create_task(self._hold(turn, self._held))
        turn.users += 1
        return turn

    async def _hold(self, turn: _Turn, before: asyncio.Task[None] | None) -> None:
        """In a task of its own: whoever began a turn may leave it before others do."""
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)
        try:
            async with self._opens(turn.run) as bus:
                if not turn.bus.done():
                    turn.bus.set_result(bus)
                await turn.is_left.wait()
        except Exception as error:
            if turn.bus.done():
                raise
            turn.bus.set_exception(error)

    async def close(self) -> None:
        if self._held is not None:
            await asyncio.gather(self._held, return_exceptions=True)
