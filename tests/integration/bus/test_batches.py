"""Many commits in one call: each has its own answer, and a repeated call commits nothing twice."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from handlers import Scripted, message, progress
from proxy import LosingProxy
from runtimes import entry, running
from servers import Server
from waiting import Connect, Go

from callboard.agents.runtime import Work
from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.delivery import Delivery
from callboard.bus.errors import BoardStale, BusError, LeaseLost, Reject
from callboard.bus.link import Link
from callboard.bus.messages import Outcome
from callboard.bus.script import Script, load

COUNT, ODD = 50, 17
ME = "driver-1.here.1"


async def filled(bus: Bus) -> list[Delivery]:
    for n in range(COUNT):
        await bus.send(message(f"T-{n}"), sender="manager")
    return await bus.inbox("driver-1", ME).receive(COUNT)


async def all_at_once(deliveries: list[Delivery], odd: Outcome) -> list[BaseException | None]:
    plain = Outcome(messages=(progress(),))
    work = [each.commit(odd if n == ODD else plain) for n, each in enumerate(deliveries)]
    return await asyncio.gather(*work, return_exceptions=True)


async def stale(bus: Bus, server: Server, odd: Delivery) -> Outcome:
    return Outcome(changes=(Change("agent:x", AgentDoc(version=7)),))


async def lost(bus: Bus, server: Server, odd: Delivery) -> Outcome:
    server.ask("XCLAIM", bus.keys.inbox("driver-1"), "agent", "driver-1.there.2", 0, odd.entry.id)
    return Outcome(messages=(progress(),))


async def to_no_stream(bus: Bus, server: Server, odd: Delivery) -> Outcome:
    server.ask("SET", bus.keys.inbox("other"), "x")
    return Outcome(messages=(progress(), progress(inbox="other")))


async def to_a_stream_that_takes_no_more(bus: Bus, server: Server, odd: Delivery) -> Outcome:
    last = (1 << 64) - 1
    server.ask("XADD", bus.keys.inbox("other"), f"{last}-{last}", "m", "x")
    return Outcome(messages=(progress(inbox="other"),))


Oddity = Callable[[Bus, Server, Delivery], Awaitable[Outcome]]
ODDITIES: list[tuple[Oddity, type[BusError]]] = [
    (stale, BoardStale),
    (lost, LeaseLost),
    (to_no_stream, BusError),
    (to_a_stream_that_takes_no_more, BusError),
]


@pytest.mark.parametrize(("oddity", "error"), ODDITIES, ids=[oddity.__name__ for oddity, _ in ODDITIES])
def test_one_commit_that_is_refused_leaves_its_neighbours_alone(
    oddity: Oddity, error: type[BusError], server: Server, bus: Bus, go: Go
) -> None:
    async def scenario() -> None:
        deliveries = await filled(bus)
        odd = await oddity(bus, server, deliveries[ODD])
        before = scripts_run(server)
        answers = await all_at_once(deliveries, odd)
        assert scripts_run(server) == before + 1
        assert [n for n, answer in enumerate(answers) if answer is not None] == [ODD]
        assert type(answers[ODD]) is error
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 1, "manager": COUNT - 1}
        assert await bus.seq() == COUNT + COUNT - 1

    go(scenario())


def scripts_run(server: Server) -> int:
    """Calls that ran; one of a script that the server did not know yet counts as failed."""
    ran = 0
    for line in server.ask("INFO", "commandstats").decode().splitlines():
        name, _, facts = line.partition(":")
        if name in ("cmdstat_evalsha", "cmdstat_eval"):
            found = dict(fact.split("=") for fact in facts.split(","))
            ran += int(found["calls"]) - int(found["failed_calls"])
    return ran


def test_a_message_that_is_there_twice_is_committed_once_though_both_are_in_one_call(bus: Bus, go: Go) -> None:
    assert go(twins(bus)) == {"driver-1": 0, "manager": COUNT}


async def twins(bus: Bus) -> dict[str, int]:
    """How many messages follow from COUNT, one of which is in two entries."""
    deliveries = await filled(bus)
    link = Link(bus.url, patience_s=5.0)
    await link.command("XADD", bus.keys.inbox("driver-1"), "*", "m", deliveries[ODD].entry.raw, about="double an entry")
    deliveries += await bus.inbox("driver-1", ME).receive()
    answers = await all_at_once(deliveries, Outcome(messages=(progress(),)))
    await link.close()
    assert answers == [None] * (COUNT + 1)
    return await bus.backlog(["driver-1", "manager"])


@pytest.mark.parametrize("count", [1, 3])
def test_a_call_whose_reply_was_lost_is_repeated_and_commits_nothing_twice(
    server: Server, connect: Connect, go: Go, count: int
) -> None:
    async def scenario(proxy: LosingProxy) -> None:
        await proxy.start()
        bus = await connect(proxy.url)
        deliveries = await filled(bus)
        odd = Outcome(changes=(Change("agent:x", AgentDoc(version=1)),))
        proxy.lose(count)
        assert await all_at_once(deliveries, odd) == [None] * COUNT
        assert proxy.lost == count
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": COUNT - 1}
        assert await bus.seq() == 2 * COUNT
        assert (await bus.board()).get("agent:x", AgentDoc).version == 1
        await bus.close()
        await proxy.stop()

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        go(scenario(LosingProxy(Path(folder), server.socket)))


def test_a_caller_that_is_cancelled_does_not_take_its_commit_back(bus: Bus, go: Go) -> None:
    """A command in flight is never broken off; and the others in it hear their answers."""

    async def scenario() -> None:
        deliveries = await filled(bus)
        tasks = [asyncio.create_task(each.commit(Outcome(messages=(progress(),)))) for each in deliveries]
        for _ in range(3):
            await asyncio.sleep(0)
        tasks[ODD].cancel()
        await asyncio.wait(tasks)
        assert [n for n, task in enumerate(tasks) if task.cancelled()] == [ODD]
        assert [task.exception() for task in tasks if not task.cancelled()] == [None] * (COUNT - 1)
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": COUNT}

    go(scenario())


def test_a_message_nobody_can_read_or_handle_leaves_the_others_of_its_read_alone(
    server: Server, bus: Bus, go: Go
) -> None:
    async def behave(work: Work) -> None:
        if work.envelope.task == "T-5":
            raise ValueError("broken")
        if work.envelope.task == "T-6":
            raise Reject("not for me")

    async def scenario() -> None:
        for n in range(COUNT):
            if n == ODD:
                server.ask("XADD", bus.keys.inbox("driver-1"), "*", "m", b"{garbage \xff")
            await bus.send(message(f"T-{n}"), sender="manager")
        async with running(bus, Scripted(behave), consumer=ME):
            await entry(bus, lambda each: each.step == "bury" and each.dead is not None and each.dead.failures == 5)
        assert sorted(letter.reason for letter in await bus.dead()) == ["5 failures", "rejected", "unreadable"]
        assert [each.step async for each in bus.journal()].count("commit") == COUNT - 2
        assert await bus.backlog(["driver-1"]) == {"driver-1": 0}

    go(scenario())


def altered(wall: str, instead: str) -> Callable[[str], Script]:
    text = load("commit").text
    assert wall in text
    text = text.replace(wall, instead)
    script = Script("commit", text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
    return lambda name: script if name == "commit" else load(name)


def test_without_its_own_answer_one_stale_commit_stops_those_after_it(server: Server, run: str, go: Go) -> None:
    async def scenario() -> None:
        ends = "local each = commit() if each[1] ~= 'ok' then return each end answers[i + 1] = each"
        bus = Bus(Link(server.url, patience_s=5.0, scripts=altered("answers[i + 1] = commit()", ends)), run)
        deliveries = await filled(bus)
        answers = await all_at_once(deliveries, await stale(bus, server, deliveries[ODD]))
        assert answers != [None] * ODD + [answers[ODD]] + [None] * (COUNT - ODD - 1)
        assert (await bus.backlog(["manager"]))["manager"] < COUNT - 1
        await bus.close()

    go(scenario())


def test_without_a_look_at_its_own_call_a_message_that_is_there_twice_is_committed_twice(
    server: Server, run: str, go: Go
) -> None:
    async def scenario() -> None:
        bus = Bus(Link(server.url, patience_s=5.0, scripts=altered("fresh[member] or ", "")), run)
        assert (await twins(bus))["manager"] == COUNT + 1
        await bus.close()

    go(scenario())
