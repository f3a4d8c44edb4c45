"""Who reads an inbox, as the server knows it."""

from __future__ import annotations

from waiting import Go

from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, TaskCancelled


def test_an_inbox_that_nobody_reads_has_no_consumers(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        assert await bus.consumers("driver-1") == ()
        await bus.send(Draft("driver-1", TaskCancelled(reason="test")), sender="manager")
        assert await bus.consumers("driver-1") == ()

    go(scenario())


def test_every_process_that_reads_is_known_and_a_read_of_nothing_is_a_sign_of_life(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(Draft("driver-1", TaskCancelled(reason="test")), sender="manager")
        for name in ("driver-1.my-host.7-2", "driver-1.my-host.9-1"):
            await bus.inbox("driver-1", name).receive(limit=1)
        found = await bus.consumers("driver-1")
        assert {(each.name, each.began) for each in found} == {
            ("driver-1.my-host.7-2", "2"),
            ("driver-1.my-host.9-1", "1"),
        }
        assert all(each.silent_s >= 0 for each in found)
        silent_s = 0.0
        while silent_s < 0.05:  # the server's clock, not ours
            silent_s = max(each.silent_s for each in await bus.consumers("driver-1"))
        await bus.inbox("driver-1", "driver-1.my-host.9-1").receive(limit=1)
        heard = {each.name: each.silent_s for each in await bus.consumers("driver-1")}
        assert heard["driver-1.my-host.9-1"] < heard["driver-1.my-host.7-2"]

    go(scenario())


def test_what_was_released_is_held_by_no_process(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(Draft("driver-1", TaskCancelled(reason="test")), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.my-host.7-2").receive(limit=1)
        await delivery.release()
        # the newest of an inbox is who is watched: whatever is silent for good there would be ended again and again
        assert [each.name for each in await bus.consumers("driver-1")] == ["driver-1.my-host.7-2"]

    go(scenario())
