"""Connections that are shared: nobody waits for another run's, and no more stay open than are remembered."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from callboard.bus.bus import Bus
from callboard.bus.errors import BusUnavailable
from callboard.web.lines import Lines


class Opened:
    """Stands for a connection."""

    def __init__(self) -> None:
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True


class Server:
    """Gives connections; that to `slow` when it is told to, none while it is down."""

    def __init__(self) -> None:
        self.given: dict[str, list[Opened]] = {}
        self.is_down = False
        self.lets_go = asyncio.Event()

    async def connect(self, run: str) -> Bus:
        if self.is_down:
            raise BusUnavailable("nobody answers")
        if run == "slow":
            await self.lets_go.wait()
        self.given.setdefault(run, []).append(Opened())
        return cast(Bus, self.given[run][-1])


async def use(lines: Lines, run: str) -> None:
    async with lines.to(run):
        pass


def test_those_that_were_used_last_stay_open() -> None:
    async def scenario() -> None:
        server = Server()
        lines = Lines(server.connect, most=2)
        for run in ("a", "b", "a", "c"):
            await use(lines, run)
        assert {run: [one.is_closed for one in found] for run, found in server.given.items()} == {
            "a": [False],
            "b": [True],
            "c": [False],
        }
        await lines.close()
        assert all(one.is_closed for found in server.given.values() for one in found)

    asyncio.run(scenario())


def test_what_is_in_use_is_not_closed_however_many_come() -> None:
    async def scenario() -> None:
        server = Server()
        lines = Lines(server.connect, most=1)
        async with lines.to("a"):
            for run in ("b", "c"):
                await use(lines, run)
            assert not server.given["a"][0].is_closed
        assert len(lines) == 1

    asyncio.run(scenario())


def test_nobody_waits_for_the_connection_to_another_run() -> None:
    async def scenario() -> None:
        server = Server()
        lines = Lines(server.connect)
        slow = asyncio.create_task(use(lines, "slow"))
        await use(lines, "a")
        assert not slow.done()
        server.lets_go.set()
        await slow

    asyncio.run(scenario())


def test_a_connection_that_failed_is_tried_again() -> None:
    async def scenario() -> None:
        server = Server()
        lines = Lines(server.connect)
        server.is_down = True
        with pytest.raises(BusUnavailable):
            await use(lines, "a")
        server.is_down = False
        await use(lines, "a")

    asyncio.run(scenario())
