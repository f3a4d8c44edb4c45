"""The archiver on a real server: trimming while readers lag, and what becomes of data that are deleted while it works."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from handlers import message, progress
from servers import Server
from waiting import Go

from callboard.bus.archive import FileArchive, Row
from callboard.bus.archiver import EVERYTHING, Archiver
from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError, LeaseLost
from callboard.bus.messages import Outcome
from callboard.bus.run_state import RunState

CONSUMER = "driver-1.here.1"
FILL = """
for i = 1, tonumber(ARGV[1]) do
  local count = redis.call('INCR', KEYS[2])
  redis.call('XADD', KEYS[1], '*', 'seq', count, 'at', 1700000000000 + count, 'entry',
    '{"step":"send","cause":"","sender":"test","messages":[],"changes":[],"timers":[]}')
end
"""
"""Entries as the scripts write them, many at once."""


class World:
    """A run with its archive, an archiver, and a bus that reads both."""

    def __init__(self, bus: Bus, server: Server, folder: Path) -> None:
        self.bus = Bus(bus._link, bus.run, archive=FileArchive(folder))
        self.server = server
        self.folder = folder
        self.said: list[str] = []
        self.archiver = self.another()

    def another(self) -> Archiver:
        self.archive = FileArchive(self.folder)
        self.archiver = Archiver(self.bus.store, self.archive, inboxes=("driver-1",), say=self.said.append)
        return self.archiver

    def fill(self, count: int) -> None:
        self.server.ask("EVAL", FILL, 2, self.bus.keys.journal, self.bus.keys.seq, count)

    def lose_everything(self) -> None:
        self.server.ask("DEL", *self.bus.keys.every(["driver-1", "manager"]))

    async def archived(self) -> None:
        while await self.archiver.step():
            pass

    async def read(self, after: int = 0) -> list[int]:
        return [entry.seq async for entry in self.bus.journal(after)]

    async def waiting(self) -> list[str]:
        deliveries = await self.bus.inbox("driver-1", "driver-1.there.9").take_over(idle_s=0)
        deliveries += await self.bus.inbox("driver-1", "driver-1.there.9").receive(100, block_s=0)
        return [delivery.envelope.task for delivery in deliveries]


@pytest.fixture
def world(bus: Bus, server: Server, tmp_path: Path) -> World:
    return World(bus, server, tmp_path)


@pytest.mark.parametrize("count", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_archived_and_live_are_all_while_readers_lag(world: World, go: Go, count: int) -> None:
    """T14. One reader that lags keeps what it has not read; everybody reads everything all the while."""

    async def scenario() -> None:
        await world.bus.store.note_read({"slow": 0})
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(read_to(count))
            await fill_and_trim(count // 5)
        assert reading.result() == list(range(1, count + 1))
        live = await Bus(world.bus._link, world.bus.run).journal().__anext__()
        assert live.seq > 1
        assert await world.read(after=count - 3) == [count - 2, count - 1, count]

    async def fill_and_trim(step: int) -> None:
        for part in range(1, 6):
            world.fill(step)
            await world.archived()
            slow = (part - 1) * step // 2
            await world.bus.store.note_read({"slow": slow})
            while await world.bus.store.note_read({}):
                pass
            length = world.server.ask("XLEN", world.bus.keys.journal)
            assert length == part * step - min(slow, part * step - 1_000)

    async def read_to(last: int) -> list[int]:
        seen: list[int] = []
        async for entry in world.bus.journal(follow=True):
            seen.append(entry.seq)
            if entry.seq == last:
                break
        return seen

    go(scenario())


def test_nothing_is_trimmed_that_no_archive_has_confirmed(world: World, go: Go) -> None:
    async def scenario() -> None:
        world.fill(3_000)
        assert await world.bus.store.note_read({"scribe": 3_000}) == 0
        assert await world.bus.store.note_read({"archive": 1_200}, keep=0) == 1_000
        assert await world.bus.store.note_read({"archive": 1_200}, keep=0) == 200
        assert await world.bus.store.note_read({"archive": 1_200}, keep=0) == 0
        assert world.server.ask("XLEN", world.bus.keys.journal) == 1_800

    go(scenario())


def test_after_a_loss_everything_is_back_and_nothing_handled_comes_again(world: World, go: Go) -> None:
    async def scenario() -> None:
        for name in ("handled", "held", "unread"):
            await world.bus.send(message(name), sender="manager", idempotency_key=name)
        handled, held = await world.bus.inbox("driver-1", CONSUMER).receive(2)
        await handled.commit(Outcome(changes=(Change("agent:x", AgentDoc(version=1)),)))
        await world.archived()
        world.lose_everything()
        await world.archived()
        assert [restored.lost for restored in world.archiver.restored] == [(EVERYTHING,)]
        assert await world.waiting() == ["held", "unread"]
        assert (await world.bus.board()).get("agent:x", AgentDoc).version == 1
        with pytest.raises(LeaseLost):
            await held.commit(Outcome())
        assert await world.bus.seq() == 4
        await world.bus.send(message("handled"), sender="manager", idempotency_key="handled")
        assert await world.bus.seq() == 4, "a repeat from before the loss is recognised"
        await world.bus.send(message("later"), sender="manager")
        await world.archived()
        assert await world.read() == [1, 2, 3, 4, 5]

    go(scenario())


def test_what_is_emitted_after_a_loss_does_not_repeat_an_id(world: World, go: Go) -> None:
    async def scenario() -> None:
        await world.bus.send(message("long"), sender="manager")
        [delivery] = await world.bus.inbox("driver-1", CONSUMER).receive()
        await delivery.emit(progress("before"))
        await world.archived()
        world.lose_everything()
        await world.archived()
        [delivery] = await world.bus.inbox("driver-1", "driver-1.here.2").receive()
        await delivery.emit(progress("after"))
        await delivery.commit(Outcome())
        seen = await world.bus.inbox("manager", "manager.here.1").receive(5)
        assert [each.envelope.body.model_dump()["doing"] for each in seen] == ["before", "after"]
        assert len({each.envelope.id for each in seen}) == 2

    go(scenario())


def test_what_was_accepted_between_loss_and_restoring_is_kept_behind_it(world: World, go: Go) -> None:
    async def scenario() -> None:
        for name in ("one", "two"):
            await world.bus.send(message(name), sender="manager", idempotency_key=name)
        await world.bus.change([Change("agent:x", AgentDoc(version=1, doing="old"))], sender="manager")
        await world.archived()
        world.lose_everything()
        await world.bus.send(message("two"), sender="manager", idempotency_key="two")
        await world.bus.change([Change("agent:x", AgentDoc(version=1, doing="void"))], sender="manager")
        for n in range(4):
            await world.bus.send(message(f"young {n}"), sender="manager")
        await world.archived()
        [restored] = world.archiver.restored
        assert len(restored.refused) == 2, "a repeat, and a change of a board that was not there"
        assert await world.waiting() == ["one", "two", *(f"young {n}" for n in range(4))]
        assert (await world.bus.board()).get("agent:x", AgentDoc).doing == "old"
        assert await world.bus.seq() == 7
        await world.archived()
        assert await world.read() == list(range(1, 8))
        assert len(world.said) == 1

    go(scenario())


def test_a_loss_is_seen_by_the_next_archiver_too_although_the_count_is_higher_again(world: World, go: Go) -> None:
    async def scenario() -> None:
        await world.bus.send(message("old"), sender="manager")
        await world.archived()
        world.lose_everything()
        await world.bus.send(message("young 1"), sender="manager")
        await world.bus.send(message("young 2"), sender="manager")
        world.another()
        await world.archived()
        assert await world.waiting() == ["old", "young 1", "young 2"]

    go(scenario())


def delete_inbox(world: World) -> None:
    world.server.ask("DEL", world.bus.keys.inbox("driver-1"))


def delete_board(world: World) -> None:
    world.server.ask("DEL", world.bus.keys.board)


def delete_seq(world: World) -> None:
    world.server.ask("DEL", world.bus.keys.seq)


def destroy_group(world: World) -> None:
    with suppress(Exception):
        world.server.ask("XGROUP", "DESTROY", world.bus.keys.inbox("driver-1"), "agent")


@pytest.mark.parametrize(
    ("delete", "lost"),
    [(delete_inbox, "inbox:driver-1"), (delete_board, "board"), (delete_seq, EVERYTHING), (destroy_group, "")],
)
def test_one_key_that_is_deleted_is_restored(world: World, go: Go, delete: Callable[[World], None], lost: str) -> None:
    async def scenario() -> None:
        await world.bus.send(message("waits"), sender="manager")
        await world.bus.change([Change("agent:x", AgentDoc(version=1))], sender="manager")
        await world.archived()
        delete(world)
        await world.archived()
        assert [restored.lost for restored in world.archiver.restored] == ([(lost,)] if lost else [])
        assert await world.waiting() == ["waits"]
        assert (await world.bus.board()).get("agent:x", AgentDoc).version == 1

    go(scenario())


def test_entries_that_are_gone_before_they_were_archived_are_said_and_bridged(world: World, go: Go) -> None:
    async def scenario() -> None:
        await world.bus.send(message("one"), sender="manager")
        await world.archived()
        await world.bus.send(message("two"), sender="manager")
        world.server.ask("DEL", world.bus.keys.journal)
        await world.archived()
        assert len(world.said) == 1
        assert "entries 2 to 2 of the journal are neither on the server nor archived" in world.said[0]
        await world.bus.send(message("three"), sender="manager")
        world.another()
        await world.archived()
        world.lose_everything()
        await world.archived()
        assert await world.waiting() == ["one", "two", "three"]
        assert await world.read() == [1, 2, 3]

    go(scenario())


def test_a_follower_gets_each_entry_once_although_the_server_loses_all(world: World, go: Go) -> None:
    async def scenario() -> None:
        seen: list[int] = []

        async def follow() -> None:
            async for entry in world.bus.journal(follow=True):
                seen.append(entry.seq)
                if entry.seq == 8:
                    return

        async def disturb() -> None:
            for n in range(4):
                await world.bus.send(message(str(n)), sender="manager")
                await world.archived()
            world.lose_everything()
            await world.bus.send(message("4"), sender="manager")
            await world.archived()
            for n in range(5, 8):
                await world.bus.send(message(str(n)), sender="manager")

        async with asyncio.timeout(300):
            await asyncio.gather(follow(), disturb())
        assert seen == [1, 2, 3, 4, 5, 6, 7, 8]

    go(scenario())


@pytest.mark.parametrize("kills", [2, pytest.param(15, marks=pytest.mark.long)])
def test_an_archiver_that_is_killed_at_any_moment_keeps_every_entry_once(
    world: World, go: Go, seed: int, kills: int, server_url: str
) -> None:
    dice = random.Random(seed)
    script = Path(__file__).parents[2] / "support" / "archiver_process.py"
    words = [sys.executable, str(script), server_url, world.bus.run, str(world.folder)]

    async def scenario() -> None:
        for _ in range(kills):
            kill_at_work(words, lambda: world.fill(dice.randrange(1, 3_000)), dice.random() * 0.1)
        world.fill(1)
        await world.archived()
        last = await world.bus.seq()
        assert [row.seq for row in world.archive.rows()] == list(range(1, last + 1))
        assert await world.read() == list(range(1, last + 1))
        assert world.said == []

    go(scenario())


def kill_at_work(words: list[str], give_work: Callable[[], None], after_s: float) -> None:
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        give_work()
        time.sleep(after_s)
        process.kill()


def test_a_snapshot_holds_the_whole_state(world: World, go: Go) -> None:
    async def scenario() -> None:
        await world.bus.send(message("one"), sender="manager")
        await world.bus.change([Change("agent:x", AgentDoc(version=1))], sender="manager")
        whole = await world.bus.store.whole(["driver-1"])
        again = RunState()
        again.apply(Row(whole.seq, whole.at, whole.snapshot()))
        assert again == whole

    go(scenario())


def test_nothing_is_restored_over_what_was_recorded_meanwhile(world: World, go: Go) -> None:
    async def scenario() -> None:
        await world.bus.send(message("one"), sender="manager")
        state = await world.bus.store.whole(["driver-1"])
        await world.bus.send(message("two"), sender="manager")
        assert not await world.bus.store.restore(state, ["inbox:driver-1"], seen=state.seq)
        assert await world.waiting() == ["one", "two"]
        assert await world.bus.store.restore(state, ["inbox:driver-1"], seen=state.seq + 1)
        assert await world.waiting() == ["one"]

    go(scenario())


def test_the_streams_go_on_above_everything_that_was_archived(world: World, go: Go) -> None:
    """Also on a server whose clock is behind: who reads on from an old place misses nothing."""

    async def scenario() -> None:
        ahead = 4_000_000_000_000
        await world.bus.send(message("one"), sender="manager")
        state = await world.bus.store.whole(["driver-1"])
        state.at = ahead
        assert await world.bus.store.restore(state, ["inbox:driver-1"], seen=1, archived=1, entries=[])
        await world.bus.send(message("two"), sender="manager")
        for key in (world.bus.keys.journal, world.bus.keys.inbox("driver-1")):
            [(id, _), *_] = world.server.ask("XRANGE", key, "-", "+")
            assert int(id.partition(b"-")[0]) > ahead

    go(scenario())


@pytest.mark.parametrize("entry", ["{", '{"step":"send","messages":[{}]}', '{"step":"due","timers":[7]}', "[]"])
def test_an_entry_that_cannot_be_read_is_not_archived_nor_are_those_behind_it(world: World, go: Go, entry: str) -> None:
    world.fill(3)
    seq = int(world.server.ask("INCR", world.bus.keys.seq))
    world.server.ask("XADD", world.bus.keys.journal, "*", "seq", seq, "at", 1_700_000_000_004, "entry", entry)
    world.fill(1)

    async def scenario() -> None:
        for _ in range(2):
            with pytest.raises(BusError, match="entry 4 of the journal cannot be read: "):
                await world.archived()
            assert [row.seq for row in FileArchive(world.folder).rows()] == [1, 2, 3]
            world.another()

    go(scenario())


def test_what_a_newer_program_may_have_taken_away_is_not_brought_back(world: World, go: Go) -> None:
    async def scenario() -> None:
        await world.bus.send(message("one"), sender="manager")
        entry = '{"step":"invented","cause":"","sender":"x","messages":[],"changes":[],"timers":[]}'
        number = world.server.ask("INCR", world.bus.keys.seq)
        world.server.ask("XADD", world.bus.keys.journal, "*", "seq", number, "at", 1, "entry", entry)
        delete_inbox(world)
        await world.archived()
        assert await world.waiting() == []
        assert world.said == []

    go(scenario())
