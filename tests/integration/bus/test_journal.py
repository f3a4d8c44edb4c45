from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

from handlers import message, progress
from loguru import logger
from servers import Server
from waiting import Go

from callboard.bus.archive import Row
from callboard.bus.board import AgentDoc, Board, Change, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import JOURNAL, Draft, FeedbackLogged, Outcome, Timer

CONSUMER = "driver-1.here.1"


async def read(bus: Bus, after: int = 0) -> list[JournalEntry]:
    return [entry async for entry in bus.journal(after)]


async def sent(bus: Bus, count: int) -> None:
    for n in range(count):
        await bus.send(message(str(n)), sender="manager")


def test_an_entry_says_who_did_what_because_of_which_message(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        handled = await bus.send(message("T-1"), sender="manager")
        [delivery] = await bus.inbox("driver-1", CONSUMER).receive()
        change = Change("agent:driver-1", AgentDoc(version=1, name="driver-1"))
        note = Draft(JOURNAL, FeedbackLogged(log="driver-1", entry="task"))
        timer = Timer(timedelta(seconds=90), progress("late"))
        await delivery.commit(Outcome(messages=(progress("done"), note), changes=(change,), timers=(timer,)))
        first, second = await read(bus)
        assert (first.seq, first.step, first.cause, first.sender) == (1, "send", "", "manager")
        assert first.messages == (handled,)
        assert (second.seq, second.step, second.cause, second.sender) == (2, "commit", handled.id, "driver-1")
        assert [each.recipient for each in second.messages] == ["manager", "journal"]
        assert [each.change() for each in second.changes] == [change]
        assert [each.after_ms for each in second.timers] == [90_000]
        assert await bus.backlog(["journal"]) == {"journal": 0}
        assert abs((second.at - handled.sent_at).total_seconds()) < 60

    go(scenario())


def test_the_board_follows_from_the_journal_alone(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.create_run(RunDoc(id=bus.run))
        await sent(bus, 5)
        for n, delivery in enumerate(await bus.inbox("driver-1", CONSUMER).receive(5)):
            changes = (
                Change("agent:x", AgentDoc(version=n + 1, doing=str(n))),
                Change(f"agent:{n}", AgentDoc(version=1)),
            )
            await delivery.commit(Outcome(changes=changes))
        rebuilt = Board()
        for entry in await read(bus):
            rebuilt = rebuilt.with_changes(change.change() for change in entry.changes)
        assert rebuilt.docs == (await bus.board()).docs

    go(scenario())


def test_reading_after_a_number_gives_exactly_the_rest(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await sent(bus, 450)
        for after in (0, 1, 2, 199, 200, 201, 448, 449, 450):
            assert [entry.seq for entry in await read(bus, after)] == list(range(after + 1, 451))
        assert await bus.seq() == 450

    go(scenario())


def test_reading_goes_by_number_when_the_front_was_trimmed(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await sent(bus, 10)
        server.ask("XTRIM", bus.keys.journal, "MAXLEN", "=", 4)
        for after, first in ((0, 7), (5, 7), (6, 7), (7, 8), (9, 10)):
            assert [entry.seq for entry in await read(bus, after)] == list(range(first, 11))

    go(scenario())


def test_a_follower_gets_each_entry_once_as_it_is_written(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await sent(bus, 3)
        seen: list[int] = []

        async def follow() -> None:
            async for entry in bus.journal(1, follow=True):
                seen.append(entry.seq)
                if entry.seq == 40:
                    return

        async with asyncio.timeout(300):
            await asyncio.gather(follow(), sent(bus, 37))
        assert seen == list(range(2, 41))

    go(scenario())


def test_a_message_of_an_unknown_kind_does_not_stop_a_reader(server: Server, bus: Bus, go: Go) -> None:
    """A newer program wrote it."""

    async def scenario() -> None:
        await sent(bus, 1)
        [(_, fields)] = server.ask("XRANGE", bus.keys.journal, "-", "+")
        strange = fields[5].replace(b"task.cancelled", b"task.invented")
        server.ask("XADD", bus.keys.journal, "*", "seq", server.ask("INCR", bus.keys.seq), "at", 1, "entry", strange)
        await sent(bus, 1)
        entries = await read(bus)
        assert [len(entry.messages) for entry in entries] == [1, 0, 1]
        assert ["task.invented" in raw for raw in entries[1].unread] == [True]

    go(scenario())


def test_a_journal_that_was_wiped_is_said_and_read_from_its_new_beginning(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        lines: list[str] = []
        sink = logger.add(lines.append, format="{message}", level="ERROR")
        await sent(bus, 5)
        seen: list[int] = []

        async def follow() -> None:
            async for entry in bus.journal(3, follow=True):
                seen.append(entry.seq)
                if entry.seq == 5:
                    server.ask("DEL", bus.keys.journal, bus.keys.seq)
                    await sent(bus, 2)
                if len(seen) == 4:
                    return

        async with asyncio.timeout(300):
            await follow()
        assert seen == [4, 5, 1, 2]
        assert [entry.seq for entry in await read(bus, after=5)] == [1, 2]
        logger.remove(sink)
        assert len(lines) == 2

    go(scenario())


class LateArchive:
    """One that has nothing at the first look: the entries are archived, and trimmed, just after it."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self._looks = 0

    def last(self) -> Row | None:
        return self._rows[-1]

    def rows(self, after: int = 0) -> Iterator[Row]:
        self._looks += 1
        return iter([] if self._looks == 1 else self._rows[after:])

    def append(self, rows: Sequence[Row]) -> None:
        raise AssertionError("nobody appends here")


def test_entries_that_are_trimmed_while_somebody_reads_come_from_the_archive(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await sent(bus, 9)
        look = await bus.store.look("", (), 9)
        await bus.store.note_read({"archive": 6}, keep=0)
        late = Bus(bus._link, bus.run, archive=LateArchive([row for _, row in look.rows]))
        assert [entry.seq async for entry in late.journal()] == list(range(1, 10))

    go(scenario())
