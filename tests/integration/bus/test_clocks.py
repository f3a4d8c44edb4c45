"""Machines whose wall clocks are an hour off (fault T15): leases, timers and repeats go by the server's."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

from handlers import message, progress
from waiting import Go

from callboard.bus.bus import Bus
from callboard.bus.messages import Outcome, Timer

PROGRAM = Path(__file__).parents[2] / "support" / "shifted_process.py"
HOUR_S = 3_600


async def shifted(bus: Bus, *words: str) -> list[dict[str, int]]:
    argv = [sys.executable, str(PROGRAM), bus.url, bus.run, *words]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in said.splitlines()]


async def begin(bus: Bus) -> None:
    """A held message, a timer for in half an hour, and a message with a key, handled."""
    await bus.send(message("repeat"), sender="person", idempotency_key="k")
    inbox = bus.inbox("driver-1", "driver-1.here.1")
    [handled] = await inbox.receive()
    await handled.commit(Outcome(timers=(Timer(timedelta(minutes=30), progress("later")),)))
    await bus.send(message("held"), sender="manager")
    assert len(await inbox.receive()) == 1


def test_nothing_is_taken_fired_or_repeated_early_or_late_by_processes_an_hour_off(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        nothing_early = {"taken": 0, "fired": 0, "forgotten": 0, "fired now": 1}
        assert await shifted(bus, f"{HOUR_S},-{HOUR_S}") == [nothing_early] * 2
        # what they set for in half an hour waits, what they set for now has come
        assert await bus.fire_due_timers() == 0
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 1, "manager": 2}
        [alarm] = await bus.inbox("driver-1", "driver-1.here.1").take_over(idle_s=0)
        assert alarm.envelope.task == "held"

    go(scenario())


def test_a_bus_that_went_by_the_clock_of_each_process_would_fire_late(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await begin(bus)
        [found] = await shifted(bus, str(HOUR_S), "own")
        assert found["fired now"] == 0

    go(scenario())
