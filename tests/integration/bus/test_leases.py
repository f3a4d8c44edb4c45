from __future__ import annotations

import threading
from dataclasses import replace

from handlers import message
from servers import Server
from waiting import Go

from callboard.bus.bus import Bus
from callboard.bus.delivery import Delivery, Entry
from callboard.bus.lease import LeaseKeeper
from callboard.bus.messages import Outcome


async def held(bus: Bus, name: str = "a") -> Delivery:
    await bus.send(message(name), sender="manager")
    [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
    return delivery


def idle_ms(server: Server, bus: Bus, delivery: Delivery) -> int:
    [[_, _, idle, _]] = server.ask(
        "XPENDING", bus.keys.inbox("driver-1"), "agent", delivery.entry.id, delivery.entry.id, 1
    )
    return int(idle)


def test_a_renewal_starts_the_lease_anew_and_is_no_delivery(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        delivery = await held(bus)
        server.ask(
            "XCLAIM",
            bus.keys.inbox("driver-1"),
            "agent",
            "driver-1.here.1",
            0,
            delivery.entry.id,
            "IDLE",
            14_000,
            "JUSTID",
        )
        assert idle_ms(server, bus, delivery) >= 14_000
        keeper = LeaseKeeper(lambda: server.url, bus.keys, on_lost=print)
        keeper.hold(delivery.entry)
        keeper.renew()
        assert idle_ms(server, bus, delivery) < 1_000
        await delivery.commit(Outcome())

    go(scenario())


def test_a_lost_lease_is_told_once_and_the_others_are_renewed(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        lost = list[Entry]()
        first, second = await held(bus, "a"), await held(bus, "b")
        keeper = LeaseKeeper(lambda: server.url, bus.keys, on_lost=lost.append)
        keeper.hold(first.entry)
        keeper.hold(second.entry)
        await first.commit(Outcome())
        keeper.renew()
        keeper.renew()
        assert lost == [first.entry]

    go(scenario())


def test_what_was_let_go_or_held_too_long_is_not_renewed(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        let_go, too_long = await held(bus, "a"), await held(bus, "b")
        keeper = LeaseKeeper(lambda: server.url, bus.keys, on_lost=print)
        keeper.hold(let_go.entry)
        keeper.let_go(let_go.entry)
        keeper.hold(too_long.entry, for_s=0.0)
        for delivery in (let_go, too_long):
            server.ask(
                "XCLAIM",
                bus.keys.inbox("driver-1"),
                "agent",
                "driver-1.here.1",
                0,
                delivery.entry.id,
                "IDLE",
                14_000,
                "JUSTID",
            )
        keeper.renew()
        assert min(idle_ms(server, bus, let_go), idle_ms(server, bus, too_long)) >= 14_000

    go(scenario())


def test_letting_go_of_an_earlier_delivery_keeps_a_later_one(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        earlier = await held(bus)
        [later] = await bus.inbox("driver-1", "driver-1.here.1").take_over(idle_s=0)
        keeper = LeaseKeeper(lambda: server.url, bus.keys, on_lost=print)
        keeper.hold(earlier.entry)
        keeper.hold(later.entry)
        keeper.let_go(earlier.entry)
        server.ask(
            "XCLAIM",
            bus.keys.inbox("driver-1"),
            "agent",
            "driver-1.here.1",
            0,
            later.entry.id,
            "IDLE",
            14_000,
            "JUSTID",
        )
        keeper.renew()
        assert idle_ms(server, bus, later) < 1_000

    go(scenario())


def test_the_thread_goes_on_when_the_server_does_not_answer_for_a_while(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        gone = threading.Event()
        delivery = await held(bus)
        await delivery.commit(Outcome())
        keeper = LeaseKeeper(lambda: server.url, bus.keys, on_lost=lambda entry: gone.set(), renew_s=0.02)
        server.ask("CLIENT", "PAUSE", 200, "ALL")
        keeper.start()
        keeper.hold(delivery.entry)
        assert gone.wait(20)
        keeper.close()

    go(scenario())


def test_letting_go_of_a_delivery_keeps_a_later_one_of_the_same_entry(server: Server, bus: Bus, go: Go) -> None:
    """Where the group was lost the later one counts anew, and so is equal."""

    async def scenario() -> None:
        lost = list[Entry]()
        earlier = (await held(bus)).entry
        later = replace(earlier)
        keeper = LeaseKeeper(lambda: server.url, bus.keys, on_lost=lost.append)
        keeper.hold(earlier)
        keeper.hold(later)
        keeper.let_go(earlier)
        server.ask("XACK", bus.keys.inbox("driver-1"), "agent", later.id)
        keeper.renew()
        assert [one is later for one in lost] == [True]

    go(scenario())
