"""Requests to a stopped roster share a server that runs while somebody needs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self, cast

import pytest

from callboard.bus.bus import Bus
from callboard.bus.errors import BusUnavailable
from callboard.web.at_rest import JOINABLE_S, AtRest


class Opened:
    """Stands for a connection."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class Server:
    """Counts how often it ran, and refuses to run twice at once."""

    def __init__(self) -> None:
        self.turns = 0
        self.runs = False
        self.is_broken = False
        self.connected: list[str] = []

    @asynccontextmanager
    async def open(self, run: str) -> AsyncIterator[Bus]:
        assert not self.runs
        if self.is_broken:
            raise BusUnavailable("the server cannot be started")
        self.runs, self.turns = True, self.turns + 1
        await asyncio.sleep(0)
        yield cast(Bus, Opened())
        await asyncio.sleep(0)
        self.runs = False

    async def connect(self, run: str) -> Bus:
        assert self.runs
        self.connected.append(run)
        return cast(Bus, Opened())


def test_those_who_come_together_share_it_and_the_last_one_ends_it() -> None:
    async def scenario() -> None:
        server = Server()
        rest = AtRest(server.open, server.connect)
        async with rest.bus("a") as first, rest.bus("a") as second, rest.bus("b"):
            assert first is second
            assert (server.turns, server.connected) == (1, ["b"])
        await rest.close()
        assert not server.runs

    asyncio.run(scenario())


def test_who_began_may_leave_before_the_others() -> None:
    async def scenario() -> None:
        server = Server()
        rest = AtRest(server.open, server.connect)
        first = rest.bus("a")
        await first.__aenter__()
        async with rest.bus("a"):
            await first.__aexit__(None, None, None)
            assert server.runs
        async with rest.bus("a"):
            assert server.turns == 2

    asyncio.run(scenario())


def test_after_a_while_the_next_one_waits_for_a_turn_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else requests that never cease would keep commands and launches out."""

    async def scenario() -> None:
        server, now = Server(), 0.0
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda: now)
        rest = AtRest(server.open, server.connect)
        async with rest.bus("a"):
            now = JOINABLE_S + 1
            late = asyncio.create_task(rest.bus("a").__aenter__())
            await asyncio.sleep(0)
            assert (server.turns, late.done()) == (1, False)
        await late
        assert server.turns == 2

    asyncio.run(scenario())


def test_who_waits_for_a_server_that_cannot_be_started_is_told() -> None:
    async def scenario() -> None:
        server = Server()
        server.is_broken = True
        rest = AtRest(server.open, server.connect)
        for _ in range(2):
            with pytest.raises(BusUnavailable):
                async with rest.bus("a"):
                    pass
        server.is_broken = False
        async with rest.bus("a"):
            pass

    asyncio.run(scenario())
