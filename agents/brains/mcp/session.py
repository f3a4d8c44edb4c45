"""A session with one server, in a task of its own: what breaks in it breaks nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from mcp import types
from mcp.client import Client

from callboard.agents.brains.answer import plain
from callboard.agents.brains.brain import Seat
from callboard.agents.brains.mcp.places import filled, place_of
from callboard.agents.brains.mcp.program import Heard, Streams, program
from callboard.agents.brains.mcp.remote import remote
from callboard.agents.brains.mcp.servers import Server
from callboard.bus.errors import BrainError

MAX_PAGES = 20
"""Of a list of tools."""
CLOSE_S = 25.0
"""A program is killed long before; a connection is closed at once."""

MAX_TOLD = 4_000
"""Characters of what is told about a failure."""

T = TypeVar("T")


class ServerFailed(BrainError):
    """A server did not start, did not answer in time, died, or answered with garbage; `str()` says which."""


class Session:
    """Used once, from `open` to `close`; after a failure it is over."""

    def __init__(self, server: Server, seat: Seat, folder: Path) -> None:
        self._server = server
        self._heard = Heard()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._life = asyncio.create_task(self._live(seat, folder), name=f"mcp {server.name}")

    @property
    def is_over(self) -> bool:
        return self._life.done()

    async def tools(self) -> list[types.Tool]:
        """Wait for its start, and ask what it offers.

        Raises:
            ServerFailed: It did not start, or cannot say.
        """
        return await self._within(self._list(), "start")

    async def call(self, tool: str, arguments: Mapping[str, object]) -> types.CallToolResult:
        """Call one of its tools.

        Raises:
            ServerFailed: There is no result.
        """
        return await self._within(self._call(tool, dict(arguments)), f"answer to {tool}")

    async def close(self) -> None:
        """End it; a program and all it started is gone afterwards."""
        self._stop.set()
        await asyncio.wait({self._life}, timeout=CLOSE_S if self._ready.done() else 0)
        if not self._life.done():
            self._life.cancel()
            await asyncio.wait({self._life}, timeout=CLOSE_S)
        self._reason()  # so that nobody is told that it was never looked at

    async def _live(self, seat: Seat, folder: Path) -> None:
        info = types.Implementation(name="callboard", version=version("callboard"))
        async with Client(self._streams(seat, folder), client_info=info, cache=None) as client:
            self._ready.set_result(client)
            await self._stop.wait()

    def _streams(self, seat: Seat, folder: Path) -> AbstractAsyncContextManager[Streams]:
        if self._server.url:
            return remote(self._server, self._heard)
        place = place_of(self._server, seat, folder)
        return program(self._server.name, filled(self._server.argv, seat), place, self._heard)

    async def _list(self) -> list[types.Tool]:
        client = await asyncio.shield(self._ready)
        found: list[types.Tool] = []
        cursor = None
        for _ in range(MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            found += page.tools
            cursor = page.next_cursor
            if cursor is None:
                return found
        raise ServerFailed(f"its list of tools has more than {MAX_PAGES} pages")

    async def _call(self, tool: str, arguments: dict[str, Any]) -> types.CallToolResult:
        client = await asyncio.shield(self._ready)
        return await client.call_tool(tool, arguments)

    async def _within(self, asking: Coroutine[Any, Any, T], what: str) -> T:
        """What is asked, unless the session ends or its time is over before; both end it."""
        asked = asyncio.ensure_future(asking)
        both: set[asyncio.Future[Any]] = {asked, self._life}
        try:
            await asyncio.wait(both, timeout=self._server.timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
        if not asked.done() and not self._life.done():
            await self.close()
            raise self._failed(f"no {what} within {self._server.timeout_s:g} s")
        if not asked.done():
            raise self._failed(f"no {what}: {self._reason()}")
        error = asked.exception()
        if error is None:
            return asked.result()
        if isinstance(error, ServerFailed) or getattr(error, "code", None) == types.CONNECTION_CLOSED:
            await self.close()
            raise self._failed(f"no {what}: {told(error)}") from error
        raise BrainError(plain(f"MCP server {self._server.name}: no {what}: {told(error)}", MAX_TOLD)) from error

    def _failed(self, why: str) -> ServerFailed:
        beside = str(self._heard)
        return ServerFailed(
            plain(f"MCP server {self._server.name}: {why}" + (f"; {beside}" if beside else ""), MAX_TOLD)
        )

    def _reason(self) -> str:
        if not self._life.done() or self._life.cancelled():
            return "its session was ended"
        error = self._life.exception()
        return told(error) if error is not None else "its session ended"


def told(error: BaseException) -> str:
    """What an error of the SDK says: of a group what its members do, of one without words its name."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(dict.fromkeys(map(told, error.exceptions)))
    return plain(str(error), 1_000) or type(error).__name__
