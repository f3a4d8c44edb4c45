"""Directions are told again to a run that still awaits them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from waiting import Go

from callboard.agents.manager.watch import DirectionsWatch
from callboard.bus.board import Change, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.messages import DirectionsRead


def test_a_run_that_awaits_directions_although_it_was_told_them_is_told_again(bus: Bus, go: Go, tmp_path: Path) -> None:
    """As when a server lost its inboxes: they were handled before the message of the launch, which awaits them."""

    async def scenario() -> None:
        awaits = RunDoc(version=1, state="running", awaits_directions=True)
        await bus.change([Change("run", awaits)], sender="manager")
        stop = asyncio.Event()
        watch = DirectionsWatch(bus, tmp_path, "directions", ["driver-1"], {}, again_s=0.0)
        watching = asyncio.create_task(watch.run(stop))
        inbox, told = bus.inbox("manager", "manager.here.1"), 0
        async with asyncio.timeout(60):
            while told < 2:
                for delivery in await inbox.receive(10, block_s=1.0):
                    assert isinstance(delivery.envelope.body, DirectionsRead)
                    told += 1
        stop.set()
        await watching

    go(scenario())
