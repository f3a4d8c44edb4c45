from __future__ import annotations

import pytest
from handlers import message, progress
from servers import Server
from waiting import Go

from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.messages import JOURNAL, Draft, FeedbackLogged, Outcome

CONSUMER = "driver-1.here.1"


def test_a_dead_letter_says_what_it_was_and_why(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        sent = await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", CONSUMER).receive()
        await delivery.reject("no such task")
        [letter] = await bus.dead()
        assert (letter.id, letter.inbox, letter.reason, letter.error) == ("2", "driver-1", "rejected", "no such task")
        assert (letter.envelope, letter.raw) == (sent, sent.encode())
        entry = [each async for each in bus.journal()][-1]
        assert (entry.seq, entry.at, entry.cause) == (2, letter.at, sent.id)
        assert entry.dead is not None
        assert (entry.dead.raw, entry.dead.reason) == (sent.encode(), "rejected")

    go(scenario())


def test_a_retry_puts_the_same_message_back_and_everything_it_leads_to_is_new(bus: Bus, go: Go) -> None:
    """What it emits in its second life must not be taken for a repeat of its first."""

    async def scenario() -> None:
        sent = await bus.send(message("a"), sender="person", idempotency_key="k")
        inbox = bus.inbox("driver-1", CONSUMER)
        for life in range(3):
            [delivery] = await inbox.receive()
            assert (delivery.envelope, delivery.deliveries, delivery.entry.failures) == (sent, life + 1, 0)
            await delivery.emit(progress(f"life {life}"))
            await delivery.reject("again")
            [letter] = await bus.dead()
            await bus.dead_retry(letter.id)
            assert await bus.dead() == []
        [delivery] = await inbox.receive()
        await delivery.commit(Outcome(messages=(progress("done"),)))
        told = [each.envelope for each in await bus.inbox("manager", "manager.here.1").receive(10)]
        assert len({each.id for each in told}) == len(told) == 4

    go(scenario())


def test_a_retried_letter_that_cannot_be_read_is_dead_again_with_the_same_bytes(
    server: Server, bus: Bus, go: Go
) -> None:
    async def scenario() -> None:
        raw = b"\x00\xff not json"
        server.ask("XADD", bus.keys.inbox("driver-1"), "*", "m", raw)
        inbox = bus.inbox("driver-1", CONSUMER)
        for _ in range(2):
            assert await inbox.receive(block_s=0) == []
            [letter] = await bus.dead()
            assert letter.envelope is None
            assert letter.raw == "\x00\\xff not json"
            [(_, fields)] = server.ask("XRANGE", bus.keys.dead, "-", "+")
            assert raw in fields
            await bus.dead_retry(letter.id)

    go(scenario())


def test_a_dropped_letter_is_gone_but_for_the_journal(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        for name in "ab":
            await bus.send(message(name), sender="manager")
        for delivery in await bus.inbox("driver-1", CONSUMER).receive(2):
            await delivery.reject("no")
        first, second = await bus.dead()
        await bus.dead_drop(first.id)
        assert await bus.dead() == [second]
        entry = [each async for each in bus.journal()][-1]
        assert entry.step == "drop"
        assert entry.dead is not None
        assert (entry.dead.letter, entry.dead.raw) == (3, first.raw)

    go(scenario())


@pytest.mark.parametrize("id", ["1", "99", "x", ""])
def test_an_unknown_letter_is_said_with_the_ids_there_are(bus: Bus, go: Go, id: str) -> None:
    async def scenario() -> None:
        with pytest.raises(BusError, match=f"no dead letter '{id}'.*there are none"):
            await bus.dead_retry(id)
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", CONSUMER).receive()
        await delivery.reject("no")
        with pytest.raises(BusError, match=f"no dead letter '{id}'; the ids are 2"):
            await bus.dead_drop(id)

    go(scenario())


def test_what_is_noted_with_a_rejection_is_in_the_same_entry(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", CONSUMER).receive()
        await delivery.reject("no", Draft(JOURNAL, FeedbackLogged(log="driver-1", entry="task", title="refused")))
        entry = [each async for each in bus.journal()][-1]
        assert entry.step == "bury"
        assert [each.kind for each in entry.messages] == ["feedback.logged"]

    go(scenario())
