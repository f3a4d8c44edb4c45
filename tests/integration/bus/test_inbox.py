from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import pytest
from handlers import message, progress
from loguru import logger
from servers import IN_MEMORY, Server
from waiting import Connect, Go

from callboard.bus.bus import Bus
from callboard.bus.delivery import Delivery
from callboard.bus.errors import LeaseLost
from callboard.bus.inbox import MOST_LEFT
from callboard.bus.messages import Outcome


async def fill(bus: Bus, *names: str) -> None:
    for name in names:
        await bus.send(message(name), sender="manager")


def test_what_is_live_is_left_alone_and_what_was_not_renewed_is_taken(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, "a")
        await bus.inbox("driver-1", "driver-1.here.1").receive()
        other = bus.inbox("driver-1", "driver-1.there.2")
        assert await other.take_over(idle_s=15) == []
        [taken] = await other.take_over(idle_s=0)
        assert (taken.deliveries, taken.entry.died) == (2, 1)

    go(scenario())


def test_another_process_of_this_host_gives_way_at_once_and_one_of_another_host_does_not(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, "a", "b", "c")
        for consumer in ("driver-1.host.local.1", "driver-1.host.1", "driver-1.other.local.1"):
            await bus.inbox("driver-1", consumer).receive()
        taken = await bus.inbox("driver-1", "driver-1.host.local.2").take_over(idle_s=15, host="host.local")
        assert [each.envelope.task for each in taken] == ["a"]

    go(scenario())


def test_ones_own_entries_are_not_taken_again(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, "a")
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        [mine] = await inbox.receive()
        assert await inbox.take_over(idle_s=0, host="here") == []
        await mine.commit(Outcome())

    go(scenario())


def test_an_earlier_delivery_that_is_lost_does_not_make_us_forget_a_later_one(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, "a")
        inbox, other = bus.inbox("driver-1", "driver-1.here.1"), bus.inbox("driver-1", "driver-1.there.2")
        [earlier] = await inbox.receive()
        await other.take_over(idle_s=0)
        [later] = await inbox.take_over(idle_s=0)
        for late in (earlier.emit(progress()), earlier.reject("late"), earlier.commit(Outcome())):
            with pytest.raises(LeaseLost):
                await late
        assert await inbox.take_over(idle_s=1_000) == []
        await later.commit(Outcome())

    go(scenario())


def test_two_hundred_live_leases_do_not_hide_a_hundred_abandoned_ones(bus: Bus, go: Go) -> None:
    """T7; with 300 live ones, more than one look of the script."""

    async def scenario() -> None:
        await fill(bus, *(f"live/{n}" for n in range(300)), *(f"left/{n}" for n in range(100)))
        await bus.inbox("driver-1", "driver-1.here.1").receive(300)
        await bus.inbox("driver-1", "driver-1.there.1").receive(100)
        third = bus.inbox("driver-1", "driver-1.there.2")
        taken = [*await third.take_over(idle_s=15, host="there"), *await third.take_over(idle_s=15, host="there")]
        assert [each.envelope.task for each in taken] == [f"left/{n}" for n in range(100)]

    go(scenario())


def test_a_take_over_brings_a_hundred_and_the_next_goes_on_there(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, *(str(n) for n in range(250)))
        await bus.inbox("driver-1", "driver-1.here.1").receive(250)
        inbox = bus.inbox("driver-1", "driver-1.there.2")
        taken = [await inbox.take_over(idle_s=0) for _ in range(3)]
        assert [len(each) for each in taken] == [100, 100, 50]
        assert [each.envelope.task for some in taken for each in some] == [str(n) for n in range(250)]

    go(scenario())


def test_two_consumers_that_take_over_at_once_get_each_message_once(bus: Bus, connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, *(str(n) for n in range(150)))
        await bus.inbox("driver-1", "driver-1.here.1").receive(150)
        inboxes = [(await connect()).inbox("driver-1", f"driver-1.there.{n}") for n in (2, 3)]
        found = await asyncio.gather(
            *(inbox.take_over(idle_s=1_000, host="here") for inbox in inboxes for _ in range(2))
        )
        names = [each.envelope.task for some in found for each in some]
        assert len(names) == len(set(names)) == 150

    go(scenario())


def test_what_failed_comes_back_after_its_delay_and_not_before(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, "now", "later")
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        now, later = await inbox.receive(2)
        await now.fail("broken")
        await later.fail("broken", after_s=60)
        [back] = await inbox.take_over(idle_s=0)
        assert (back.envelope.task, back.entry.raised, back.entry.error) == ("now", 1, "broken")

    go(scenario())


def test_a_message_that_failed_five_times_is_dead_even_if_its_burial_was_interrupted(
    server: Server, bus: Bus, go: Go
) -> None:
    """The process died between counting the fifth failure and burying: whoever takes over buries, and counts no sixth."""

    async def scenario() -> None:
        await fill(bus, "a", "b")
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        first, _ = await inbox.receive(2)
        server.ask("HSET", bus.keys.failures, first.entry.field, "3 2 broken")
        [left] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
        assert left.envelope.task == "b"
        [letter] = await bus.dead()
        assert (letter.failures, letter.reason, letter.error) == (5, "5 failures", "broken")

    go(scenario())


def test_a_fifth_failure_that_is_counted_again_is_still_the_fifth(server: Server, bus: Bus, go: Go) -> None:
    """The burial that was to follow it found the server full, so both are tried again."""

    async def scenario() -> None:
        await fill(bus, "a")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        server.ask("HSET", bus.keys.failures, delivery.entry.field, "5 0 broken")
        await delivery.fail("broken")
        [letter] = await bus.dead()
        assert (letter.failures, letter.reason) == (5, "5 failures")

    go(scenario())


def test_what_cannot_be_read_is_dead_at_once_and_its_neighbours_are_delivered(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        sent = await bus.send(message("before"), sender="manager")
        raw = sent.encode()
        key = bus.keys.inbox("driver-1")
        for bad in (
            b"\xff\xfe",
            "{",
            "[]",
            raw.replace('"reason":"test"', '"reason":7'),
            raw.replace("test", "t" * 5_100_000),
            raw.replace(sent.id, "no-uuid"),
            raw.replace(bus.run, "another-run"),
            raw.replace("driver-1", "driver-2"),
        ):
            server.ask("XADD", key, "*", "m", bad)
        server.ask("XADD", key, "*", "other", "field")
        await bus.send(message("after"), sender="manager")
        found = await bus.inbox("driver-1", "driver-1.here.1").receive(100)
        assert [each.envelope.task for each in found] == ["before", "after"]
        letters = await bus.dead()
        assert [letter.reason for letter in letters] == ["unreadable"] * 9
        assert letters[0].raw == "\\xff\\xfe"
        assert "and a message may have 5,000,000" in letters[4].error
        assert len(letters[4].raw) == 10_000
        assert "no UUID" in letters[5].error
        assert "another-run" in letters[6].error
        buried = [each.dead async for each in bus.journal() if each.dead]
        assert max(len(each.raw) for each in buried) <= 10_000
        assert await bus.backlog(["driver-1"]) == {"driver-1": 2}

    go(scenario())


@pytest.mark.parametrize(("old", "new"), [("task.cancelled", "task.invented"), ('"version":1', '"version":99')])
def test_what_a_newer_program_sent_is_left_to_one_for_a_while_and_then_dead(
    server: Server, bus: Bus, go: Go, old: str, new: str
) -> None:
    """Each time it comes back after a delay, which this test takes away; its neighbours do not wait for it."""

    async def scenario() -> None:
        sent = await bus.send(message("before"), sender="manager")
        server.ask("XADD", bus.keys.inbox("driver-1"), "*", "m", sent.encode().replace(old, new))
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        [delivery] = await inbox.receive(100)
        await delivery.commit(Outcome())
        for _ in range(MOST_LEFT - 1):
            assert await inbox.take_over(idle_s=0) == []
            [[field, mark]] = pairs(server.ask("HGETALL", bus.keys.held))
            assert mark[:1] == b"p"
            assert await bus.dead() == []
            server.ask("HSET", bus.keys.held, field, "p0")
        assert await inbox.take_over(idle_s=0) == []
        [letter] = await bus.dead()
        assert (letter.reason, letter.failures) == ("unknown kind", 0)
        assert await bus.backlog(["driver-1"]) == {"driver-1": 0}

    go(scenario())


def pairs(flat: list[bytes]) -> list[list[bytes]]:
    return [flat[n : n + 2] for n in range(0, len(flat), 2)]


def test_a_lost_group_is_made_again_without_a_hot_loop_and_said_each_time(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        lines: list[str] = []
        sink = logger.add(lines.append, format="{message}", level="ERROR")
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        await fill(bus, "a")
        await inbox.receive()
        server.ask("XGROUP", "DESTROY", bus.keys.inbox("driver-1"), "agent")
        await fill(bus, "b")
        found = list[Delivery]()
        while len(found) < 1:
            found += await inbox.receive(10, block_s=0.2)
        assert [each.envelope.task for each in found] == ["b"], "what this process still works on does not come twice"
        assert len(lines) == 1

        began = time.monotonic()
        while time.monotonic() - began < 1.0:
            server.ask("DEL", bus.keys.inbox("driver-1"))
            await inbox.receive(block_s=0)
        logger.remove(sink)
        assert len(lines) < 10, "T6: fewer than 10 errors in a second"

    go(scenario())


def test_after_flushall_everything_sent_since_is_delivered(connect: Connect, go: Go) -> None:
    async def scenario(server: Server) -> None:
        bus = await connect(server.url)
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        await fill(bus, "a")
        [old] = await inbox.receive()
        server.ask("FLUSHALL")
        await fill(bus, "b", "c")
        found = list[Delivery]()
        while len(found) < 2:
            found += await inbox.receive(10, block_s=0.2)
        assert [each.envelope.task for each in found] == ["b", "c"]
        for each in found:
            await each.commit(Outcome(messages=(progress(),)))
        assert [each.seq async for each in bus.journal()] == [1, 2, 3, 4]
        assert old.entry.id not in {each.entry.id for each in found}

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY)
        go(scenario(server))
        server.stop()


def test_consumers_of_dead_processes_are_forgotten_once_they_hold_nothing(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await fill(bus, "a", "b")
        key = bus.keys.inbox("driver-1")
        [held] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        [done] = await bus.inbox("driver-1", "driver-1.here.2").receive()
        await done.commit(Outcome())
        living = bus.inbox("driver-1", "driver-1.here.3")
        await living.receive(block_s=0)
        assert await living.forget_dead_consumers() == 0
        server.ask("XCLAIM", key, "agent", "driver-1.here.1", 0, held.entry.id, "JUSTID")
        assert await living.forget_dead_consumers(silent_s=0) == 1
        names = {
            dict(zip(row[::2], row[1::2], strict=True))[b"name"]
            for row in server.ask("XINFO", "CONSUMERS", key, "agent")
        }
        assert b"driver-1.here.1" in names
        assert b"driver-1.here.2" not in names
        await held.commit(Outcome())

    go(scenario())
