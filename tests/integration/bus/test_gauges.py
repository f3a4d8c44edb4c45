"""What the gauges say, against what was done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from waiting import Connect, Go

from callboard.bus.bus import Bus
from callboard.bus.errors import LeaseLost, Retry
from callboard.bus.gauges import BusGauges, InboxGauge, rates
from callboard.bus.messages import Draft, Outcome, TaskCancelled, Timer

NAMES = ("manager", "driver-1")


async def send(bus: Bus, count: int) -> None:
    for _ in range(count):
        await bus.send(Draft("driver-1", TaskCancelled(reason="test")), sender="manager")


def of(gauges: BusGauges, name: str) -> InboxGauge:
    return next(each for each in gauges.inboxes if each.name == name)


def test_of_a_run_that_has_nothing_everything_is_0(bus: Bus, go: Go) -> None:
    gauges = go(bus.gauges(NAMES))
    assert (gauges.seq, gauges.dead, gauges.timers, gauges.failing) == (0, 0, 0, 0)
    assert gauges.inboxes == tuple(InboxGauge(name, 0, 0, None, 0, 0) for name in NAMES)
    assert gauges.memory_bytes > 0
    assert gauges.clients > 0


def test_messages_wait_are_held_and_handled_and_given_up(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await send(bus, 5)
        unread = of(await bus.gauges(NAMES), "driver-1")
        assert (unread.waiting, unread.held, unread.sent, unread.handled) == (5, 0, 5, 0)
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        done, given_up, failing, _held = await inbox.receive(limit=4)
        await done.commit(Outcome(timers=(Timer(timedelta(hours=1), Draft("manager", TaskCancelled(reason="later"))),)))
        await given_up.reject("no")
        await failing.fail(str(Retry("once more", after_s=0)), after_s=3600)
        gauges = await bus.gauges(NAMES)
        assert (gauges.seq, gauges.dead, gauges.timers, gauges.failing) == (7, 1, 1, 1)
        driver = of(gauges, "driver-1")
        assert (driver.waiting, driver.held, driver.sent, driver.handled) == (1, 2, 5, 2)
        assert driver.oldest_s is not None
        assert of(gauges, "manager").oldest_s is None

    go(scenario())


def test_what_another_process_had_before_counts_as_redelivered(bus: Bus, go: Go, connect: Connect) -> None:
    async def scenario() -> None:
        await send(bus, 2)
        await bus.inbox("driver-1", "driver-1.here.1").receive(limit=2)
        assert of(await bus.gauges(NAMES), "driver-1").redelivered == 0
        await bus.inbox("driver-1", "driver-1.here.2").take_over(idle_s=3600, host="here")
        assert of(await bus.gauges(NAMES), "driver-1").redelivered == 2

    go(scenario())


def test_rates_are_per_second_and_never_below_0(bus: Bus, go: Go) -> None:
    async def scenario() -> tuple[BusGauges, BusGauges]:
        before = await bus.gauges(NAMES)
        await send(bus, 10)
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        await delivery.commit(Outcome())
        return before, await bus.gauges(NAMES)

    before, after = go(scenario())
    seconds = (after.at - before.at).total_seconds()
    moved = rates(before, after)
    assert round(moved.steps * seconds, 6) == 11
    assert round(moved.inboxes["driver-1"].sent * seconds, 6) == 10
    assert round(moved.inboxes["driver-1"].handled * seconds, 6) == 1
    assert rates(after, before).steps == 0
    assert rates(after, after).inboxes["driver-1"].sent == 0


def test_redeliveries_and_what_the_fence_kept_out_are_counted_over_the_whole_run(
    bus: Bus, go: Go, connect: Connect
) -> None:
    async def counts() -> tuple[int, int]:
        gauges = await bus.gauges(NAMES)
        return gauges.redeliveries, gauges.fenced

    async def scenario() -> None:
        await send(bus, 3)
        lost = await bus.inbox("driver-1", "driver-1.here.1").receive(limit=3)
        assert await counts() == (0, 0)
        taken = await bus.inbox("driver-1", "driver-1.here.2").take_over(idle_s=3600, host="here")
        assert await counts() == (3, 0)
        late = (
            lost[0].commit(Outcome()),
            lost[0].emit(Draft("manager", TaskCancelled(reason="late"))),
            lost[1].fail("late"),
            lost[1].reject("late"),
            lost[2].release(),
        )
        for n, write in enumerate(late, 1):
            with pytest.raises(LeaseLost):
                await write
            assert await counts() == (3, n)
        for delivery in taken:
            await delivery.commit(Outcome())
        gauges = await bus.gauges(NAMES)
        assert (gauges.redeliveries, gauges.fenced, of(gauges, "driver-1").redelivered) == (3, 5, 0)
        await bus.data.remove(NAMES)
        assert await counts() == (0, 0)

    go(scenario())
