"""Many agents in one process: each gets its own messages, and they do not stand in each other's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from handlers import Scripted, message, progress
from runtimes import committed, everything
from servers import Server
from waiting import Go

from callboard.agents.runtime import MOST_HELD, MOST_TOGETHER, Runtime, Work
from callboard.bus.bus import Bus
from callboard.bus.messages import Outcome

MANY = 2 * MOST_TOGETHER + 5
"""Agents that one command does not read."""
ME = "host.here.1"


@asynccontextmanager
async def hosting(bus: Bus, handlers: Mapping[str, Scripted], *, sweep_s: float = 3_600.0) -> AsyncIterator[None]:
    """A Runtime at work until the block ends. It sweeps at its start only, unless it is told otherwise."""
    host = Runtime(bus, handlers, ME, may_send=everything, handler_timeout_s=20.0, sweep_s=sweep_s)
    stop = asyncio.Event()
    task = asyncio.create_task(host.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def test_each_of_many_agents_handles_its_own_message(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        handlers = {f"a-{n}": Scripted() for n in range(MANY)}
        async with hosting(bus, handlers):
            for name in handlers:
                await bus.send(message(name, inbox=name), sender="manager")
            await committed(bus, MANY)
        assert {name: each.began for name, each in handlers.items()} == {name: [name] for name in handlers}
        assert set((await bus.backlog(list(handlers))).values()) == {0}

    go(scenario())


def test_a_start_with_many_agents_takes_few_connections(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        handlers = {f"a-{n}": Scripted() for n in range(MANY)}
        before = connections(server)
        async with hosting(bus, handlers):
            await bus.send(message("last", inbox=f"a-{MANY - 1}"), sender="manager")
            await committed(bus, 1)
        assert connections(server) - before < MANY / 4

    go(scenario())


def connections(server: Server) -> int:
    """Made since the server's start."""
    lines = server.ask("INFO", "stats").decode().splitlines()
    [line] = [line for line in lines if line.startswith("total_connections_received:")]
    return int(line.partition(":")[2])


def test_what_a_process_that_died_held_in_one_of_many_inboxes_is_taken_over_at_the_start(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        handlers = {f"a-{n}": Scripted() for n in range(MANY)}
        await bus.send(message("x", inbox="a-77"), sender="manager")
        assert await bus.inbox("a-77", "a-77.here.0").receive()
        async with hosting(bus, handlers):
            await committed(bus, 1)
        assert handlers["a-77"].began == ["x"]

    go(scenario())


def test_an_agent_with_a_full_desk_leaves_the_others_their_messages(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        gate = asyncio.Event()

        async def wait(work: Work) -> None:
            await gate.wait()

        slow, quick = Scripted(wait), Scripted()
        async with hosting(bus, {"slow": slow, "quick": quick}):
            for n in range(MOST_HELD + 50):
                await bus.send(message("one lane", inbox="slow"), sender="manager")
                if n % 50 == 0:
                    await bus.send(message(f"{n}", inbox="quick"), sender="manager")
            await quick.until(lambda: len(quick.ended) == 5)
            [held, *_] = server.ask("XPENDING", bus.keys.inbox("slow"), "agent")
            assert held <= MOST_HELD
            gate.set()

    go(scenario())


def test_three_answers_that_come_due_together_are_one_call(server: Server, bus: Bus, go: Go) -> None:
    """A hop of a task's life is one read and one call, however many agents take part in it."""

    async def ask(work: Work) -> Outcome:
        return Outcome(tuple(progress(inbox=name) for name in ("r-1", "r-2", "r-3")))

    async def scenario() -> None:
        handlers = {"lead": Scripted(ask), "r-1": Scripted(), "r-2": Scripted(), "r-3": Scripted()}
        async with hosting(bus, handlers):
            await bus.send(message("first", inbox="lead"), sender="manager")
            await committed(bus, 4)
            before = calls(server)
            await bus.send(message("second", inbox="lead"), sender="manager")
            await committed(bus, 8)
            assert calls(server) == before + 3

    go(scenario())


def calls(server: Server) -> int:
    """Scripts that the server knew and ran."""
    stats = server.ask("INFO", "commandstats").decode().splitlines()
    [line] = [line for line in stats if line.startswith("cmdstat_evalsha:")]
    return int(line.partition("calls=")[2].partition(",")[0])
