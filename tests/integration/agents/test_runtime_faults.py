"""The loop under faults: processes that die, pause and block, a server that dies, is full or answers too late."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from handlers import Scripted, message, progress
from loguru import logger
from runtimes import committed, entry, everything, running
from servers import IN_MEMORY, Server
from waiting import Connect, Go

from callboard.agents.runtime import Runtime, Work
from callboard.bus.bus import Bus
from callboard.bus.delivery import Delivery
from callboard.bus.errors import BusUnavailable
from callboard.bus.messages import Outcome, TaskProgressed

PROGRAM = Path(__file__).parents[2] / "support" / "runtime_process.py"


class Process:
    """A Runtime in a process of its own; `support/runtime_process.py` says what it does."""

    def __init__(self, bus: Bus, consumer: str, marks: Path, lease_s: float = 15.0) -> None:
        self._argv = [sys.executable, str(PROGRAM), bus.url, bus.run, consumer, str(lease_s), str(marks)]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Process:
        self._process = await asyncio.create_subprocess_exec(
            *self._argv, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.communicate()

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def says(self) -> str:
        """Its next line; "" when it has ended."""
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(300):
            return (await self._process.stdout.readline()).decode().strip()

    async def stopped(self) -> None:
        """Wait until it is paused."""
        assert self._process is not None
        await asyncio.to_thread(os.waitid, os.P_PID, self._process.pid, os.WSTOPPED)

    async def ended(self) -> int:
        assert self._process is not None
        async with asyncio.timeout(300):
            return await self._process.wait()


async def until_dead(bus: Bus, marks: Path, number: int = 1) -> int:
    """Start one process after the other until one stays alive and everything is handled; how many died."""
    died = 0
    while True:
        async with Process(bus, f"driver-1.here.{number + died}", marks) as process:
            ended = asyncio.create_task(process.ended())
            idle = asyncio.create_task(nothing_left(bus))
            await asyncio.wait({ended, idle}, return_when=asyncio.FIRST_COMPLETED)
            if idle.done():
                process.send(signal.SIGTERM)
                assert await ended == 0
                return died
            idle.cancel()
            assert ended.result() == -signal.SIGKILL
            died += 1
            assert died < 20


async def nothing_left(bus: Bus) -> None:
    async for _ in bus.journal(follow=True):
        if (await bus.backlog(["driver-1"]))["driver-1"] == 0:
            return


def test_a_message_that_kills_its_process_is_dead_after_exactly_five_and_its_neighbours_are_done(
    bus: Bus, go: Go, tmp_path: Path
) -> None:
    async def scenario() -> None:
        for name in ("ok1", "ok2", "poison", "ok3", "ok4"):
            await bus.send(message(name), sender="manager")
        assert await until_dead(bus, tmp_path / "marks") == 5
        [letter] = await bus.dead()
        assert letter.envelope is not None
        assert (letter.envelope.task, letter.failures) == ("poison", 5)
        assert [each.step async for each in bus.journal()].count("commit") == 4

    go(scenario())


@pytest.mark.long
def test_a_message_that_makes_progress_outlives_ten_processes(bus: Bus, go: Go, tmp_path: Path) -> None:
    async def scenario() -> None:
        await bus.send(message("persist/10"), sender="manager")
        assert await until_dead(bus, tmp_path / "marks") == 10
        assert await bus.dead() == []
        steps = [each.step async for each in bus.journal()]
        assert (steps.count("emit"), steps.count("commit")) == (11, 1)

    go(scenario())


def test_a_process_that_was_paused_past_its_lease_neither_commits_nor_begins_what_waited(
    bus: Bus, go: Go, tmp_path: Path
) -> None:
    """The zombie's thread and handler wake together; whichever is first, its leases stay lost (attack 14)."""
    lease_s = 0.6

    async def scenario() -> None:
        await bus.send(message("pause/1"), sender="manager")
        await bus.send(message("pause/2"), sender="manager")
        async with Process(bus, "driver-1.there.1", tmp_path / "marks", lease_s) as zombie:
            assert await zombie.says() == "began pause/1"
            await zombie.stopped()
            handler = Scripted()
            async with running(bus, handler, lease_s=lease_s):
                await committed(bus, 2)
            zombie.send(signal.SIGCONT)
            await bus.send(message("later"), sender="manager")
            assert await zombie.says() == "began later"
            await committed(bus, 3)
            zombie.send(signal.SIGTERM)
            assert await zombie.ended() == 0
        assert handler.began == ["pause/1", "pause/2"]
        sent = [each.body async for entry in bus.journal() if entry.step == "commit" for each in entry.messages]
        assert [body.doing.partition(" ")[0] for body in sent if isinstance(body, TaskProgressed)] == ["later"]

    go(scenario())


def test_a_blocked_event_loop_keeps_its_leases(bus: Bus, go: Go, tmp_path: Path) -> None:
    """For three leases; another process looks for abandoned messages all the while."""
    lease_s = 1.5

    async def scenario() -> None:
        await bus.send(message("block"), sender="manager")
        async with Process(bus, "driver-1.there.1", tmp_path / "marks", lease_s) as blocked:
            assert await blocked.says() == "began block"
            handler = Scripted()
            async with running(bus, handler, lease_s=lease_s):
                await committed(bus, 1)
        assert handler.began == []

    go(scenario())


def test_a_handler_that_runs_for_many_leases_is_delivered_once(bus: Bus, go: Go) -> None:
    may_end = asyncio.Event()

    async def long(work: Work) -> None:
        await may_end.wait()

    async def scenario() -> None:
        await bus.send(message("a"), sender="manager")
        first, second = Scripted(long), Scripted()
        async with (
            running(bus, first, consumer="driver-1.here.1", lease_s=1.2, renew_s=0.1),
            running(bus, second, consumer="driver-1.there.2", lease_s=1.2, renew_s=0.1),
        ):
            await asyncio.sleep(5)  # four leases: the time that passes is what is tested
            may_end.set()
            await committed(bus, 1)
        assert sorted(first.began + second.began) == ["a"]

    go(scenario())


def test_a_lost_lease_cancels_the_handler(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(message("a"), sender="manager")
        handler = Scripted(lambda work: asyncio.Event().wait())  # type: ignore[arg-type, return-value]
        async with running(bus, handler, renew_s=0.05):
            await handler.until(lambda: handler.began == ["a"])
            [stolen] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=0)
            await handler.until(lambda: handler.ended == ["a"])
            await stolen.commit(Outcome())
        assert await bus.backlog(["driver-1"]) == {"driver-1": 0}

    go(scenario())


def test_what_comes_back_to_a_consumer_that_lost_it_is_handled_again(server: Server, bus: Bus, go: Go) -> None:
    """As when its group was destroyed: the lease is found lost, and then the same entry is given to the same consumer."""

    async def first_waits(work: Work) -> None:
        if handler.began == ["a"]:
            await asyncio.Event().wait()

    handler = Scripted(first_waits)

    async def scenario() -> None:
        await bus.send(message("a"), sender="manager")
        inbox, consumer = bus.keys.inbox("driver-1"), "driver-1.here.1"
        async with running(bus, handler, consumer=consumer, renew_s=0.05):
            await handler.until(lambda: handler.began == ["a"])
            [(id, *_)] = server.ask("XPENDING", inbox, "agent", "-", "+", 10)
            server.ask("XACK", inbox, "agent", id)
            await handler.until(lambda: handler.ended == ["a"])
            server.ask("XCLAIM", inbox, "agent", consumer, 0, id, "FORCE", "JUSTID")
            await committed(bus, 1)
        assert handler.began == ["a", "a"]

    go(scenario())


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A durable one, for killing."""
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        running = Server(Path(folder))
        yield running
        running.stop()


def test_work_goes_on_when_the_server_was_killed_and_started_again(
    own_server: Server, connect: Connect, go: Go
) -> None:
    async def killer(work: Work) -> Outcome:
        if work.envelope.task == "b":
            own_server.kill()
            await asyncio.to_thread(own_server.start)
        await work.emit(progress("still here"))
        return Outcome(messages=(progress("done"),))

    async def scenario() -> None:
        bus = await connect(own_server.url)
        handler = Scripted(killer)
        async with running(bus, handler):
            for name in ("a", "b", "c"):
                await bus.send(message(name), sender="manager")
            await committed(bus, 3)
            await bus.send(message("d"), sender="manager")
            await committed(bus, 4)
        assert sorted(handler.began) == ["a", "b", "c", "d"]
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": 8}

    go(scenario())


@pytest.mark.long
def test_work_goes_on_soon_after_a_server_that_answered_nobody_is_back(
    own_server: Server, connect: Connect, go: Go
) -> None:
    """T12: half-open connections, for longer than any command waits."""

    async def scenario() -> None:
        bus = await connect(own_server.url)
        handler = Scripted()
        async with running(bus, handler):
            await bus.send(message("a"), sender="manager")
            await committed(bus, 1)
            own_server.pause()
            sending = asyncio.create_task(bus.send(message("b"), sender="manager"))
            await asyncio.sleep(12)
            own_server.go_on()
            await sending
            await committed(bus, 2)
        assert handler.began == ["a", "b"]
        assert [each.step async for each in bus.journal()] == ["send", "commit"] * 2

    go(scenario())


def test_a_server_that_stays_away_ends_the_loop_with_its_name(own_server: Server, connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        bus = await connect(own_server.url, patience_s=0.2)
        runtime = Runtime(bus, {"driver-1": Scripted()}, "driver-1.here.1", may_send=everything, handler_timeout_s=1)
        own_server.kill()
        with pytest.raises(BusUnavailable, match=str(own_server.socket)):
            await runtime.run(asyncio.Event())

    go(scenario())


def test_a_full_server_holds_a_commit_up_until_there_is_room(connect: Connect, go: Go) -> None:
    async def scenario(server: Server) -> None:
        bus = await connect(server.url)
        await bus.send(message("a"), sender="manager")
        is_full = asyncio.Event()
        sink = logger.add(lambda line: is_full.set(), filter=lambda record: "no room" in record["message"])

        async def fills_up(work: Work) -> Outcome:
            server.ask("CONFIG", "SET", "maxmemory", "1")
            return Outcome(messages=(progress("done"),))

        handler = Scripted(fills_up)
        async with running(bus, handler), asyncio.timeout(300):
            await is_full.wait()
            server.ask("CONFIG", "SET", "maxmemory", "0")
            await committed(bus, 1)
        logger.remove(sink)
        assert handler.began == ["a"]
        assert await bus.backlog(["manager"]) == {"manager": 1}

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY, "--maxmemory-policy", "noeviction")
        go(scenario(server))
        server.stop()


def test_a_message_that_was_taken_from_us_while_it_waited_is_not_begun(bus: Bus, go: Go) -> None:
    """Without a renewal to say so: this process was paused, and its handlers wake before its keeper."""
    may_end = asyncio.Event()

    async def slow(work: Work) -> None:
        await may_end.wait()

    async def scenario() -> None:
        await bus.send(message("a/1"), sender="manager")
        await bus.send(message("a/2"), sender="manager")
        handler = Scripted(slow)
        async with running(bus, handler, lease_s=0.2, renew_s=1_000):
            await handler.until(lambda: handler.began == ["a/1"])
            other = bus.inbox("driver-1", "driver-1.there.2")
            taken = list[Delivery]()
            while len(taken) < 2:
                taken += await other.take_over(idle_s=0.2)
            may_end.set()
            for delivery in taken:
                await delivery.commit(Outcome())
            await bus.send(message("a/3"), sender="manager")
            await committed(bus, 3)
        assert handler.began == ["a/1", "a/3"]

    go(scenario())


def test_a_flushed_server_does_not_stop_the_loop(own_server: Server, connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        bus = await connect(own_server.url)
        handler = Scripted()
        async with running(bus, handler):
            await bus.send(message("a"), sender="manager")
            await committed(bus, 1)
            own_server.ask("FLUSHALL")
            await bus.send(message("b"), sender="manager")
            await entry(bus, lambda each: each.step == "commit")
        assert handler.began == ["a", "b"]

    go(scenario())
