"""A brain may flood; the bus gets the newest line at a bounded rate."""

from __future__ import annotations

import asyncio

import pytest

from callboard.agents.driver.progress import MAX_LINE, Progress


class Bus:
    """Takes what is sent, and lets a test wait for it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.came = asyncio.Event()

    async def send(self, line: str) -> None:
        self.lines.append(line)
        self.came.set()


def test_of_a_flood_the_first_line_and_then_the_newest_are_sent() -> None:
    async def scenario() -> list[str]:
        bus = Bus()
        progress = Progress(bus.send, every_s=0.01)
        async with asyncio.TaskGroup() as group:
            group.create_task(progress.pump())
            await progress.report("line 0")
            await bus.came.wait()
            bus.came.clear()
            for n in range(1, 1000):
                await progress.report(f"line {n}")
            while bus.lines[-1] != "line 999":
                await bus.came.wait()
                bus.came.clear()
            progress.close()
        return bus.lines

    lines = asyncio.run(scenario())
    assert lines[0] == "line 0"
    assert len(lines) < 100


def test_within_the_interval_nothing_more_is_sent() -> None:
    async def scenario() -> list[str]:
        bus = Bus()
        progress = Progress(bus.send, every_s=3600)
        async with asyncio.TaskGroup() as group:
            group.create_task(progress.pump())
            await progress.report("first")
            await bus.came.wait()
            for n in range(100):
                await progress.report(f"line {n}")
            progress.close()
        return bus.lines

    assert asyncio.run(scenario()) == ["first"]


def test_without_the_interval_every_line_would_be_sent() -> None:
    async def scenario() -> list[str]:
        bus = Bus()
        progress = Progress(bus.send, every_s=0.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(progress.pump())
            for n in range(50):
                await progress.report(f"line {n}")
                await bus.came.wait()
                bus.came.clear()
            progress.close()
        return bus.lines

    assert len(asyncio.run(scenario())) == 50


def test_a_line_is_shown_as_one_short_clean_line_and_blank_ones_are_not() -> None:
    async def scenario() -> list[str]:
        bus = Bus()
        progress = Progress(bus.send, every_s=0.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(progress.pump())
            await progress.report(" \n ")
            await progress.report("\x1b[31mbuilding\nnow" + "x" * 1000)
            await bus.came.wait()
            progress.close()
        return bus.lines

    (line,) = asyncio.run(scenario())
    assert line.startswith("building now")
    assert len(line) == MAX_LINE


def test_a_send_that_fails_ends_the_pump_with_its_error() -> None:
    async def broken(_: str) -> None:
        raise ConnectionError("gone")

    async def scenario() -> None:
        progress = Progress(broken, every_s=0.0)
        await progress.report("hello")
        await progress.pump()

    with pytest.raises(ConnectionError, match="gone"):
        asyncio.run(scenario())
