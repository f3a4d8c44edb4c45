"""How the manager hears of the free space."""

from __future__ import annotations

import asyncio

import pytest
from waiting import Go

from callboard.bus.board import Change, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.ending import end
from callboard.bus.messages import DiskChanged
from callboard.launch.disk import watch_disk


@pytest.mark.timeout(120)
def test_a_run_that_paused_for_what_an_earlier_launch_said_of_its_disk_goes_on(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.change([Change("run", RunDoc(version=1, state="running"))], sender="manager")
        looked = asyncio.Event()

        def free() -> int:
            looked.set()
            return 10**12

        watch = asyncio.create_task(watch_disk(bus, free, lambda _: None, every_s=0.05))
        try:
            await looked.wait()
            # its message waited in the manager's inbox
            await bus.change([Change("run", RunDoc(version=2, state="paused", reason="disk"))], sender="manager")
            inbox = bus.inbox("manager", "manager.here.1")
            while not (heard := await inbox.receive(10)):  # noqa: ASYNC110 - an inbox is looked at
                await asyncio.sleep(0.05)
        finally:
            await end(watch)
        body = heard[0].envelope.body
        assert isinstance(body, DiskChanged)
        assert not body.is_low

    go(scenario())
