"""Handlers that never wait share a task; whatever one of them does, the others do not notice."""

from __future__ import annotations

import asyncio

from handlers import Scripted, message, progress
from runtimes import committed, everything, running
from servers import Server
from waiting import Go

from callboard.agents.runtime import Runtime, Work
from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.errors import Reject
from callboard.bus.messages import Outcome

COUNT = 20
NAMES = [f"T-{n}" for n in range(COUNT)]


async def send(bus: Bus, names: list[str]) -> None:
    for name in names:
        await bus.send(message(name), sender="manager")


def test_handlers_that_never_wait_share_a_task_and_one_that_waits_has_its_own(bus: Bus, go: Go) -> None:
    tasks: dict[str, object] = {}
    may_end = asyncio.Event()

    async def behave(work: Work) -> None:
        name = work.envelope.task
        tasks[name] = asyncio.current_task()
        if name == "T-5":
            # What a handler begins, such as a time limit, is bound to its task.
            async with asyncio.timeout(3_600):
                await may_end.wait()
        assert tasks[name] is asyncio.current_task()

    async def scenario() -> None:
        await send(bus, NAMES)
        async with running(bus, Scripted(behave)):
            await committed(bus, COUNT - 1)
            may_end.set()
            await committed(bus, COUNT)
        early, late = {tasks[name] for name in NAMES[:6]}, {tasks[name] for name in NAMES[6:]}
        assert (len(early), len(late), len(early | late)) == (1, 1, 2)

    go(scenario())


def test_whatever_becomes_of_one_message_its_neighbours_are_committed_in_the_same_call(
    server: Server, bus: Bus, go: Go
) -> None:
    async def behave(work: Work) -> Outcome | None:
        match work.envelope.task:
            case "T-3":
                raise ValueError("broken")
            case "T-4":
                raise Reject("not for me")
            case "T-5":
                raise asyncio.CancelledError
            case "T-6":
                change = Change("agent:x", AgentDoc(version=1))
                return Outcome(changes=(change, change))
            case "T-7":
                server.ask("XCLAIM", bus.keys.inbox("driver-1"), "agent", "driver-1.there.2", 0, lost[0])
        return Outcome((progress(),))

    lost = [b""]

    async def scenario() -> None:
        await send(bus, NAMES)
        [*rows] = server.ask("XRANGE", bus.keys.inbox("driver-1"), "-", "+")
        lost[0] = rows[7][0]
        async with running(bus, Scripted(behave)):
            await buried(bus, 4)
        errors = sorted(letter.error for letter in await bus.dead())
        assert errors == [
            "RuntimeError: the handler cancelled itself",
            "ValueError: an outcome changes a board field twice: ['agent:x', 'agent:x']",
            "ValueError: broken",
            "not for me",
        ]
        steps = [each.step async for each in bus.journal()]
        first_bury = steps.index("bury")
        assert steps[COUNT:first_bury] == ["commit"] * (COUNT - 5)
        assert steps.count("commit") == COUNT - 5
        [left] = await bus.inbox("driver-1", "driver-1.there.3").take_over(idle_s=0)
        assert left.envelope.task == "T-7"

    go(scenario())


async def buried(bus: Bus, count: int) -> None:
    seen = 0
    async for each in bus.journal(follow=True):
        seen += each.step == "bury"
        if seen == count:
            return


async def accounted_for(bus: Bus, handler: Scripted) -> None:
    """What began was committed once, and the rest is free, with nothing against it."""
    commits = [each.cause async for each in bus.journal() if each.step == "commit"]
    assert len(commits) == len(set(commits)) == len(handler.began) < COUNT
    free = list[str]()
    other = bus.inbox("driver-1", "driver-1.there.2")
    while taken := await other.take_over(idle_s=1000):
        assert [each.entry.failures for each in taken] == [0] * len(taken)
        free += [each.envelope.task for each in taken]
    assert len(free) == len(set(free))
    assert not set(free) & set(handler.began)
    waiting = [each.envelope.task for each in await other.receive(COUNT, 0)]
    assert sorted(handler.began + free + waiting) == sorted(LANES)


LANES = [f"{lane}/{n}" for lane in "ab" for n in range(COUNT // 2)]


def test_what_was_handled_when_the_runtime_was_cancelled_is_committed_and_the_rest_given_back(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        async def cancel(work: Work) -> None:
            task.cancel()

        handler = Scripted(cancel)
        work = Runtime(bus, {"driver-1": handler}, "driver-1.here.1", may_send=everything, handler_timeout_s=20.0)
        await send(bus, LANES)
        task = asyncio.create_task(work.run(asyncio.Event()))
        await asyncio.wait({task})
        await accounted_for(bus, handler)

    go(scenario())


def test_a_stop_gives_back_what_waits_and_commits_what_was_handled(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        async def end(work: Work) -> None:
            stop.set()

        handler = Scripted(end)
        await send(bus, LANES)
        async with running(bus, handler) as stop:
            await stop.wait()
        await accounted_for(bus, handler)

    go(scenario())


def test_what_was_refused_when_the_runtime_was_cancelled_is_given_back(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        async def too_early(work: Work) -> Outcome:
            task.cancel()
            return Outcome(changes=(Change("agent:x", AgentDoc(version=2)),))

        handler = Scripted(too_early)
        work = Runtime(bus, {"driver-1": handler}, "driver-1.here.1", may_send=everything, handler_timeout_s=20.0)
        await send(bus, ["a"])
        task = asyncio.create_task(work.run(asyncio.Event()))
        await asyncio.wait({task})
        [back] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=1000)
        assert (back.envelope.task, back.entry.failures, handler.began) == ("a", 0, ["a"])

    go(scenario())
