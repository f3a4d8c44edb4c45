"""Timers fire once, at the server's time, whoever looks and whatever happens to them."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from handlers import message, progress
from servers import IN_MEMORY, Server
from waiting import Connect, Go

from callboard.bus.archive import FileArchive
from callboard.bus.archiver import Archiver
from callboard.bus.bus import Bus
from callboard.bus.messages import Outcome, TaskProgressed, Timer

PROGRAM = Path(__file__).parents[2] / "support" / "timer_process.py"
MANY = 400
THOUSANDS = 2_000
HOUR = timedelta(hours=1)


async def set_timers(bus: Bus, names: Sequence[str], after: timedelta = timedelta(0)) -> None:
    await bus.send(message("sets"), sender="manager")
    [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
    await delivery.commit(Outcome(timers=tuple(Timer(after, progress(name)) for name in names)))


async def fired(bus: Bus) -> list[str]:
    """What has fired until now, and is handled with this."""
    names = list[str]()
    inbox = bus.inbox("manager", "manager.here.1")
    while deliveries := await inbox.receive(THOUSANDS, block_s=0):
        for each in deliveries:
            assert isinstance(each.envelope.body, TaskProgressed)
            names.append(each.envelope.body.doing)
        await asyncio.gather(*(each.commit(Outcome()) for each in deliveries))
    return names


@asynccontextmanager
async def looking(bus: Bus) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that looks for due timers."""
    argv = [sys.executable, str(PROGRAM), bus.url, bus.run]
    process = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


def test_each_of_many_timers_fires_once_although_processes_look_at_once_and_are_killed(
    bus: Bus, go: Go, tmp_path: Path
) -> None:
    """Every effect is a line in a file outside the server."""
    effects = tmp_path / "effects"
    names = [f"t-{n}" for n in range(MANY)]

    async def scenario() -> None:
        async with looking(bus) as first, looking(bus) as second, looking(bus) as third:
            for process in (first, second, third):
                assert await line(process) == "looks"
            setting = asyncio.create_task(set_timers(bus, names))
            seen = 0
            while seen < MANY:
                some = await fired(bus)
                if some and not seen:
                    first.kill()
                seen += len(some)
                with effects.open("a") as file:
                    file.writelines(f"{name}\n" for name in some)
                await asyncio.sleep(0)
        await setting
        assert await fired(bus) == []
        assert await bus.fire_due_timers() == 0
        assert [each.step async for each in bus.journal()].count("timer") == MANY

    go(scenario())
    assert Counter(effects.read_text().split()) == Counter(names)


def test_thousands_that_are_due_are_sent_at_once_and_what_is_not_due_stays(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await set_timers(bus, [f"t-{n}" for n in range(THOUSANDS)])
        await set_timers(bus, ["late"], after=HOUR)
        assert await bus.fire_due_timers() == THOUSANDS
        assert len(await fired(bus)) == THOUSANDS
        assert server.ask("ZCARD", bus.keys.timers) == 1

    go(scenario())


async def commit(bus: Bus, outcome: Outcome) -> None:
    await bus.send(message("sets"), sender="manager")
    [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
    await delivery.commit(outcome)


def test_a_timer_takes_the_place_of_one_with_its_key_and_a_cancelled_one_is_gone(
    server: Server, bus: Bus, go: Go, tmp_path: Path
) -> None:
    """Rebuilt from the journal, it is the same."""

    def timer(name: str, key: str = "", after: timedelta = timedelta(0)) -> Timer:
        return Timer(after, progress(name), key)

    async def scenario() -> None:
        archiver = Archiver(bus.store, FileArchive(tmp_path), inboxes=("driver-1",), say=lambda text: None)
        odd = 'a "quoted", ünlike key'
        await commit(bus, Outcome(timers=(timer("a", "k"), timer("b", "kk"), timer("c", odd), timer("d"))))
        await commit(bus, Outcome(timers=(timer("later", "k", HOUR), timer("anew", odd)), cancelled=("kk", "nobody's")))
        due = server.ask("ZRANGE", bus.keys.timers, 0, -1, "WITHSCORES")
        while await archiver.step():
            pass
        server.ask("FLUSHALL")
        while await archiver.step():
            pass
        assert server.ask("ZRANGE", bus.keys.timers, 0, -1, "WITHSCORES") == due
        assert await bus.fire_due_timers() == 2
        assert sorted(await fired(bus)) == ["anew", "d"]
        # what has fired is on its way, and a key may be used again
        await commit(bus, Outcome(timers=(timer("third", odd),), cancelled=(odd, "k")))
        assert await bus.fire_due_timers() == 1
        assert await fired(bus) == ["third"]
        assert server.ask("ZCARD", bus.keys.timers) == 0

    go(scenario())


@pytest.mark.parametrize(
    "wrong", [datetime(1980, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)], ids=["slow", "fast"]
)
def test_a_clock_that_is_wrong_neither_hurries_nor_holds_up_a_timer(connect: Connect, go: Go, wrong: datetime) -> None:
    async def scenario() -> None:
        right = await connect()
        bus = Bus(right._link, right.run, now=lambda: wrong)
        await set_timers(bus, ["now"])
        await set_timers(bus, ["late"], after=HOUR)
        assert await bus.fire_due_timers() == 1
        assert await fired(bus) == ["now"]

    go(scenario())


def test_a_stream_that_takes_no_more_keeps_its_own_timer_alone(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        last = (1 << 64) - 1
        server.ask("XADD", bus.keys.inbox("full"), f"{last}-{last}", "m", "x")
        await bus.send(message("sets"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        stuck, fine = Timer(timedelta(0), progress(inbox="full")), Timer(timedelta(0), progress("fine"))
        await delivery.commit(Outcome(timers=(stuck, fine)))
        assert await bus.fire_due_timers() == 1
        assert await fired(bus) == ["fine"]
        assert server.ask("ZCARD", bus.keys.timers) == 1

    go(scenario())


def test_a_full_server_keeps_what_is_due_until_there_is_room(connect: Connect, go: Go) -> None:
    async def scenario(server: Server) -> None:
        bus = await connect(server.url)
        await set_timers(bus, ["a", "b"])
        server.ask("CONFIG", "SET", "maxmemory", "1")
        assert await bus.fire_due_timers() == 0
        server.ask("CONFIG", "SET", "maxmemory", "0")
        assert await bus.fire_due_timers() == 2
        assert sorted(await fired(bus)) == ["a", "b"]

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY, "--maxmemory-policy", "noeviction")
        go(scenario(server))
        server.stop()


def test_timers_outlive_a_killed_server_and_a_flushed_one(connect: Connect, go: Go, tmp_path: Path) -> None:
    """After the flush the archive brings them back: those that were set, without those that fired."""

    async def scenario(server: Server) -> None:
        bus = await connect(server.url)
        archiver = Archiver(bus.store, FileArchive(tmp_path), inboxes=("driver-1",), say=lambda text: None)
        await set_timers(bus, ["first"])
        assert await bus.fire_due_timers() == 1
        assert await fired(bus) == ["first"]
        await set_timers(bus, ["second"])
        await set_timers(bus, ["late"], after=HOUR)
        server.kill()
        server.start()
        while await archiver.step():
            pass
        due = server.ask("ZRANGE", bus.keys.timers, 0, -1, "WITHSCORES")
        assert len(due) == 4
        server.ask("FLUSHALL")
        while await archiver.step():
            pass
        assert server.ask("ZRANGE", bus.keys.timers, 0, -1, "WITHSCORES") == due
        assert await bus.fire_due_timers() == 1
        assert await fired(bus) == ["second"]

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder))
        go(scenario(server))
        server.stop()
