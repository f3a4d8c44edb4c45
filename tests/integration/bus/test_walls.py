"""What the scripts refuse, each time also with its wall cut out of the script, to show that the attack then works."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from handlers import message, progress
from servers import Server
from waiting import Go

from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.delivery import Delivery, Wire
from callboard.bus.errors import BoardStale, BusError, LeaseLost
from callboard.bus.lease import LeaseKeeper
from callboard.bus.link import Link
from callboard.bus.messages import Outcome, Timer
from callboard.bus.script import Script, load

Scripts = Callable[[str], Script]
FENCE = "if not holds(inbox, consumer, id, deliveries) then return fenced(counts) end"


def cut(name: str, wall: str, instead: str = "") -> Scripts:
    """The scripts with a wall taken out of one of them."""
    whole = load(name)
    assert wall in whole.text
    text = whole.text.replace(wall, instead)
    altered = Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
    return lambda asked: altered if asked == name else load(asked)


@asynccontextmanager
async def bus_with(scripts: Scripts, server: Server, run: str) -> AsyncIterator[Bus]:
    bus = Bus(Link(server.url, patience_s=5.0, scripts=scripts), run)
    yield bus
    await bus.close()


async def held(bus: Bus, name: str = "a", consumer: str = "driver-1.here.1") -> Delivery:
    await bus.send(message(name), sender="manager")
    [delivery] = await bus.inbox("driver-1", consumer).receive()
    return delivery


async def twin_of(delivery: Delivery, bus: Bus) -> list[Delivery]:
    link = Link(bus.url, patience_s=5.0)
    await link.command("XADD", bus.keys.inbox("driver-1"), "*", "m", delivery.entry.raw, about="double an entry")
    await link.close()
    return await bus.inbox("driver-1", "driver-1.there.2").receive()


async def refused(work: Awaitable[None], error: type[BusError] = LeaseLost) -> bool:
    try:
        await work
    except error:
        return True
    return False


# Each gives True when the wall held.


async def a_zombie_commits(bus: Bus) -> bool:
    zombie = await held(bus)
    [owner] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
    was_refused = await refused(zombie.commit(Outcome(messages=(progress("from the grave"),))))
    await owner.commit(Outcome(messages=(progress("alive"),)))
    return was_refused and await bus.backlog(["manager"]) == {"manager": 1}


async def a_zombie_commits_after_the_owner(bus: Bus) -> bool:
    """It must not take the owner's commit for its own."""
    zombie = await held(bus)
    [owner] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
    await owner.commit(Outcome())
    return await refused(zombie.commit(Outcome(messages=(progress("from the grave"),))))


async def a_message_is_there_twice(bus: Bus) -> bool:
    """The same id in two entries is handled once, and both entries are gone."""
    first = await held(bus)
    [second] = await twin_of(first, bus)
    for delivery in (first, second):
        await delivery.commit(Outcome(messages=(progress(),)))
    return await bus.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": 1}


async def a_zombie_emits(bus: Bus) -> bool:
    zombie = await held(bus)
    await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
    return await refused(zombie.emit(progress("from the grave")))


async def a_zombie_rejects(bus: Bus) -> bool:
    zombie = await held(bus)
    await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
    return await refused(zombie.reject("mine")) and await bus.dead() == []


async def a_zombie_gives_back(bus: Bus) -> bool:
    zombie = await held(bus)
    [owner] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
    return await refused(zombie.release()) and not await refused(owner.commit(Outcome()))


async def a_zombie_fails(bus: Bus) -> bool:
    zombie = await held(bus)
    [owner] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
    return await refused(zombie.fail("mine")) and not await refused(owner.commit(Outcome()))


async def an_earlier_delivery_commits(bus: Bus) -> bool:
    """To the same consumer: only the delivery count tells them apart."""
    first = await held(bus)
    await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
    [again] = await bus.inbox("driver-1", "driver-1.here.1").take_over(idle_s=0)
    return await refused(first.commit(Outcome())) and not await refused(again.commit(Outcome()))


async def the_board_changed_meanwhile(bus: Bus) -> bool:
    first, second = await held(bus, "a"), await held(bus, "b")
    await first.commit(Outcome(changes=(Change("agent:x", AgentDoc(version=1, doing="first")),)))
    change = Change("agent:x", AgentDoc(version=1, doing="second"))
    was_refused = await refused(second.commit(Outcome(changes=(change,))), BoardStale)
    return was_refused and (await bus.board()).get("agent:x", AgentDoc).doing == "first"


async def what_was_only_read_changed_meanwhile(bus: Bus) -> bool:
    """Such as the manager's epoch: a second manager has raised it."""
    first, second = await held(bus, "a"), await held(bus, "b")
    await first.commit(Outcome(changes=(Change("manager", AgentDoc(version=1)),)))
    return await refused(second.commit(Outcome(guards=(("manager", 0),))), BoardStale)


async def a_commit_is_repeated(bus: Bus) -> bool:
    """Its first reply was lost; the repeat hears that it is done."""
    delivery = await held(bus)
    outcome = Outcome(messages=(progress(),), changes=(Change("agent:x", AgentDoc(version=1)),))
    await delivery.commit(outcome)
    is_done = not await refused(delivery.commit(outcome), BusError)
    return is_done and await bus.backlog(["manager"]) == {"manager": 1}


async def a_message_is_sent_again(bus: Bus) -> bool:
    for _ in range(2):
        await bus.send(message("a"), sender="person", idempotency_key="k")
    return await bus.backlog(["driver-1"]) == {"driver-1": 1}


WALLS = [
    (a_zombie_commits, cut("commit", FENCE)),
    (a_zombie_commits_after_the_owner, cut("commit", "if is_known(own)", "if is_known(member)")),
    (a_message_is_there_twice, cut("commit", "if is_known(member) then", "if false then")),
    (a_zombie_emits, cut("emit", FENCE)),
    (a_zombie_rejects, cut("bury", FENCE)),
    (a_zombie_gives_back, cut("release", FENCE)),
    (a_zombie_fails, cut("fail", FENCE)),
    (an_earlier_delivery_commits, cut("commit", " and pending[1][4] == tonumber(deliveries)")),
    (the_board_changed_meanwhile, cut("commit", "stale_field(board, changes) or ")),
    (what_was_only_read_changed_meanwhile, cut("commit", " or stale_field(board, guards)")),
    (a_commit_is_repeated, cut("commit", "if is_known(own) then return {'done'} end")),
    (a_message_is_sent_again, cut("send", "if is_done(done, member, now) then return {'done'} end")),
]


@pytest.mark.parametrize(("attack", "open_wall"), WALLS, ids=[attack.__name__ for attack, _ in WALLS])
def test_the_wall_holds_and_without_it_the_attack_works(
    attack: Callable[[Bus], Awaitable[bool]], open_wall: Scripts, server: Server, run: str, go: Go
) -> None:
    async def scenario() -> None:
        async with bus_with(load, server, run) as bus:
            assert await attack(bus)
        async with bus_with(open_wall, server, f"{run}-open") as bus:
            assert not await attack(bus)

    go(scenario())


def test_a_paused_process_that_renews_first_does_not_steal_its_entry_back(server: Server, run: str, go: Go) -> None:
    """A bare XCLAIM would; then neither could commit."""

    async def steals(scripts: Scripts, run: str) -> bool:
        async with bus_with(load, server, run) as bus:
            zombie = await held(bus)
            [owner] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
            lost: list[object] = []
            keeper = LeaseKeeper(lambda: server.url, bus.keys, on_lost=lost.append, scripts=scripts)
            keeper.hold(zombie.entry)
            keeper.renew()
            return await refused(owner.commit(Outcome())) or zombie.entry not in lost

    async def scenario() -> None:
        assert not await steals(load, run)
        assert await steals(
            cut("renew", "if holds(KEYS[1], consumer, row[1], row[2]) then", "if true then"), f"{run}-2"
        )

    go(scenario())


OPERATIONS: dict[str, tuple[Callable[[Bus, Delivery], Awaitable[object]], tuple[str, ...]]] = {
    "send": (
        lambda bus, _: bus.send(message("b"), sender="manager"),
        ("inbox:driver-1", "journal", "seq", "done", "board"),
    ),
    "emit": (
        lambda _, held: held.emit(progress(inbox="other")),
        ("inbox:driver-1", "inbox:other", "journal", "seq", "done", "failures", "held"),
    ),
    "commit": (
        lambda _, held: held.commit(
            Outcome(
                messages=(progress(inbox="manager"), progress(inbox="other")),
                changes=(Change("agent:x", AgentDoc(version=1)),),
                timers=(Timer(timedelta(0), progress()),),
            )
        ),
        (
            "inbox:driver-1",
            "inbox:manager",
            "inbox:other",
            "journal",
            "seq",
            "done",
            "failures",
            "held",
            "board",
            "timers",
        ),
    ),
    "fail": (lambda _, held: held.fail("broken"), ("inbox:driver-1", "failures", "held")),
    "release": (lambda _, held: held.release(), ("inbox:driver-1", "failures", "held")),
    "begin": (lambda _, held: held.begin(), ("inbox:driver-1", "held")),
    "reject": (
        lambda _, held: held.reject("no"),
        ("inbox:driver-1", "journal", "seq", "failures", "held", "dead"),
    ),
    "take over": (
        lambda bus, _: bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0),
        ("inbox:driver-1", "failures", "held"),
    ),
    "retry": (lambda bus, _: bus.dead_retry("2"), ("inbox:driver-1", "journal", "seq", "done", "dead")),
    "drop": (lambda bus, _: bus.dead_drop("2"), ("journal", "seq", "done", "dead")),
    "timers": (lambda bus, _: bus.fire_due_timers(), ("inbox:manager", "journal", "seq", "timers")),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_key_of_another_type_leaves_nothing_written(
    operation: str, server: Server, server_url: str, run: str, go: Go
) -> None:
    """A script is atomic but is not rolled back; so it looks at every key before its first write."""
    work, names = OPERATIONS[operation]

    async def scenario(name: str, number: int) -> None:
        bus = await Bus.connect(server_url, f"{run}-{number}")
        buried = await held(bus, "dead")
        await buried.reject("for retry and drop")
        timed = await held(bus, "timed")
        await timed.commit(Outcome(timers=(Timer(timedelta(0), progress()),)))
        delivery = await held(bus)
        key = f"cb:{{{bus.run}}}:{name}"
        server.ask("DEL", key)
        wrong = ("LPUSH", key, "x") if name == "seq" else ("SET", key, "x")
        server.ask(*wrong)
        before = contents(server, bus.run)
        with pytest.raises(BusError):
            await work(bus, delivery)
        assert contents(server, bus.run) == before
        await bus.close()

    for number, name in enumerate(names):
        go(scenario(name, number))


def contents(server: Server, run: str) -> dict[bytes, object]:
    """Every key of a run with what is in it."""
    found = {key: server.ask("DUMP", key) for key in server.ask("KEYS", f"cb:{{{run}}}:*")}
    assert found
    return found


def test_a_count_that_is_no_number_leaves_nothing_written(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        delivery = await held(bus)
        server.ask("SET", bus.keys.seq, "seven")
        before = contents(server, bus.run)
        with pytest.raises(BusError, match="holds a text where the bus keeps a integer"):
            await delivery.commit(Outcome(messages=(progress(),)))
        assert contents(server, bus.run) == before

    go(scenario())


def test_without_the_look_at_types_a_commit_is_left_half_done(server: Server, run: str, go: Go) -> None:
    async def scenario() -> None:
        look = "if wrong then return wrong end\nlocal wrong_streams"
        async with bus_with(cut("commit", look, "local wrong_streams"), server, run) as bus:
            delivery = await held(bus)
            server.ask("SET", bus.keys.timers, "x")
            with pytest.raises(BusError):
                await delivery.commit(Outcome(messages=(progress(),), timers=(Timer(timedelta(0), progress()),)))
            assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 1, "manager": 1}

    go(scenario())


def test_an_entry_of_another_agent_cannot_be_acknowledged(server_url: str, bus: Bus, go: Go) -> None:
    """Attack 14: a delivery is good for its own consumer, entry and count, and for nothing else."""

    async def scenario() -> None:
        link = Link(server_url, patience_s=5.0)
        owner = await held(bus)
        await bus.send(message("x", "driver-2"), sender="manager")
        [thief] = await bus.inbox("driver-2", "driver-2.here.1").receive()
        for entry in (
            replace(thief.entry, inbox="driver-1", id=owner.entry.id),
            replace(owner.entry, count=2),
            replace(owner.entry, inbox="driver-2"),
        ):
            forged = Delivery(Wire(link, bus.keys, utc_now), entry, owner.envelope, print)
            with pytest.raises(LeaseLost):
                await forged.commit(Outcome())
        await owner.commit(Outcome())
        await thief.commit(Outcome())
        await link.close()

    go(scenario())
