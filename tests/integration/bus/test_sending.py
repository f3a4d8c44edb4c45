from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from handlers import message, progress
from proxy import LosingProxy
from servers import IN_MEMORY, Server, free_port
from waiting import Connect, Go

from callboard.bus.board import AgentDoc, BlockerDoc, Change, RunDoc, TaskDoc
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError, BusUnavailable, InboxFull, NotAllowed, ServerTooOld, TooLarge
from callboard.bus.link import Link
from callboard.bus.messages import JOURNAL, Draft, FeedbackLogged, Outcome, TaskCancelled, Timer


def test_what_was_sent_is_received_as_it_was(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        sent = await bus.send(Draft("driver-1", TaskCancelled(reason="größer ☃ \0"), task="T-1"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        assert delivery.envelope == sent
        assert delivery.deliveries == 1

    go(scenario())


def test_messages_come_in_the_order_in_which_they_were_sent(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        for name in "abcde":
            await bus.send(message(name), sender="manager")
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        found = [*await inbox.receive(2), *await inbox.receive(10)]
        assert [each.envelope.task for each in found] == list("abcde")

    go(scenario())


def test_the_same_idempotency_key_sends_nothing_new_and_gives_the_same_id(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        first = await bus.send(message("a"), sender="person", idempotency_key="k")
        again = await bus.send(message("a"), sender="person", idempotency_key="k")
        other = await bus.send(message("a"), sender="person", idempotency_key="k2")
        assert first.id == again.id != other.id
        assert await bus.backlog(["driver-1"]) == {"driver-1": 2}
        assert await bus.seq() == 2

    go(scenario())


def test_a_key_is_remembered_for_a_day_and_what_has_none_for_an_hour(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(message("a"), sender="person", idempotency_key="k")
        await bus.send(message("a"), sender="manager")
        seconds, _ = server.ask("TIME")
        kept = [
            round(float(score) / 1000 - int(seconds))
            for score in server.ask("ZRANGE", bus.keys.done, 0, -1, "WITHSCORES")[1::2]
        ]
        assert kept == [pytest.approx(3_600, abs=5), pytest.approx(24 * 3_600, abs=5)]

    go(scenario())


def test_what_is_remembered_too_long_is_forgotten_with_the_next_message(server: Server, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(message("a"), sender="person", idempotency_key="k")
        [member] = server.ask("ZRANGE", bus.keys.done, 0, -1)
        server.ask("ZADD", bus.keys.done, 1, member)
        await bus.send(message("a"), sender="person", idempotency_key="k")
        assert await bus.backlog(["driver-1"]) == {"driver-1": 2}
        assert server.ask("ZCARD", bus.keys.done) == 1

    go(scenario())


def test_an_entry_for_another_agents_log_is_not_sent_emitted_or_committed(bus: Bus, go: Go) -> None:
    entry = Draft(JOURNAL, FeedbackLogged(log="driver-2", entry="task"))

    async def scenario() -> None:
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        for forbidden in (
            bus.send(entry, sender="driver-1"),
            delivery.emit(entry),
            delivery.commit(Outcome(messages=(entry,))),
            delivery.commit(Outcome(timers=(Timer(timedelta(0), entry),))),
            delivery.emit(Draft("manager", FeedbackLogged(log="driver-1", entry="task"))),
        ):
            with pytest.raises(NotAllowed):
                await forbidden
        assert await bus.seq() == 1
        await delivery.emit(Draft(JOURNAL, FeedbackLogged(log="driver-1", entry="task")))
        assert await bus.seq() == 2

    go(scenario())


def test_a_run_is_created_once(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        assert await bus.create_run(RunDoc(id=bus.run, base="a" * 40))
        assert not await bus.create_run(RunDoc(id=bus.run, base="b" * 40))
        assert (await bus.board()).run == RunDoc(version=1, id=bus.run, base="a" * 40)
        [entry] = [each async for each in bus.journal()]
        assert [change.change().doc for change in entry.changes] == [(await bus.board()).run]

    go(scenario())


def test_the_board_lists_its_documents_by_number(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        docs = [TaskDoc(version=1, id=f"T-{n}") for n in range(300, 0, -1)]
        changes = [Change(f"task:{doc.id}", doc) for doc in docs]
        other = (Change("agent:a", AgentDoc(version=1)), Change("blocker:B-1", BlockerDoc(version=1)))
        await delivery.commit(Outcome(changes=(*changes, *other)))
        board = await bus.board()
        assert [doc.id for doc in board.all(TaskDoc)] == [f"T-{n}" for n in range(1, 301)]
        assert len(board.docs) == 302

    go(scenario())


def test_runs_on_one_server_do_not_see_each_other(server_url: str, bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await bus.send(message("a"), sender="manager")
        other = await Bus.connect(server_url, f"{bus.run}-2")
        assert await other.backlog(["driver-1"]) == {"driver-1": 0}
        assert await other.seq() == 0
        await other.close()

    go(scenario())


@pytest.mark.parametrize("run", ["", "a}b", "a b", "{x}", "-x", "x/y", "ü"])
def test_a_run_name_that_could_leave_its_keys_is_refused(server_url: str, run: str, go: Go) -> None:
    with pytest.raises(BusError, match="no name for a run"):
        go(Bus.connect(server_url, run))


def test_a_timer_fires_once_when_its_time_has_come_by_the_servers_clock(
    server: Server, connect: Connect, go: Go
) -> None:
    async def scenario() -> None:
        bus, other = await connect(), await connect()
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        soon, late = (Timer(timedelta(seconds=n), progress(str(n))) for n in (0, 3_600))
        await delivery.commit(Outcome(timers=(soon, late)))
        fired = await asyncio.gather(bus.fire_due_timers(), other.fire_due_timers())
        assert sorted(fired) == [0, 1]
        assert await bus.fire_due_timers() == 0
        [told] = await bus.inbox("manager", "manager.here.1").receive()
        assert told.envelope.body == soon.draft.body
        assert told.envelope.in_reply_to == delivery.envelope.id
        assert server.ask("ZCARD", bus.keys.timers) == 1

    go(scenario())


def test_a_full_server_says_so_and_nothing_is_written(connect: Connect, go: Go) -> None:
    async def scenario(server: Server) -> None:
        bus = await connect(server.url)
        await bus.send(message("a"), sender="manager")
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        [delivery] = await inbox.receive()
        server.ask("CONFIG", "SET", "maxmemory", "1")
        for refused in (
            bus.send(message("b"), sender="manager"),
            delivery.emit(progress()),
            delivery.commit(Outcome(messages=(progress(),))),
        ):
            with pytest.raises(InboxFull, match="maxmemory"):
                await refused
        server.ask("CONFIG", "SET", "maxmemory", "0")
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 1, "manager": 0}
        assert await bus.seq() == 1
        await delivery.commit(Outcome(messages=(progress(),)))

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY)
        go(scenario(server))
        server.stop()


def test_a_message_of_5_mb_is_refused_by_its_sender_and_nothing_is_written(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        large = Draft("driver-1", TaskCancelled(reason="größer" * 800_000))
        with pytest.raises(TooLarge, match=r"task\.cancelled for driver-1 has 6,400,\d+ bytes.*may have 4,000,000"):
            await bus.send(large, sender="manager")
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        with pytest.raises(TooLarge):
            await delivery.emit(large)
        with pytest.raises(TooLarge):
            await delivery.commit(Outcome(messages=(large,)))
        await delivery.commit(Outcome())
        assert await bus.seq() == 2

    go(scenario())


def test_an_inbox_takes_no_more_than_its_limit_and_what_is_handled_still_leads_on(
    server_url: str, connect: Connect, go: Go
) -> None:
    """A full inbox refuses what is new; a commit takes one message away, so two full inboxes never wait for each other."""

    async def scenario() -> None:
        bus = await connect(f"{server_url}?inbox_limit=2")
        for name in ("a", "b"):
            await bus.send(message(name), sender="manager", idempotency_key=name)
            await bus.send(message(name, "manager"), sender="driver-1")
        with pytest.raises(
            InboxFull, match=r"2 messages wait in the inbox of driver-1, which takes 2.*nothing was written"
        ):
            await bus.send(message("c"), sender="person", idempotency_key="c")
        # a repeat of what is there is no new message
        await bus.send(message("b"), sender="manager", idempotency_key="b")
        [first, second] = await bus.inbox("driver-1", "driver-1.here.1").receive(2)
        with pytest.raises(InboxFull):
            await first.emit(progress("1"))
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 2, "manager": 2}
        await first.commit(Outcome(messages=(progress("done"),)))
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 1, "manager": 3}
        await bus.send(message("c"), sender="person", idempotency_key="c")
        [*there, _] = await bus.inbox("manager", "manager.here.1").receive(10)
        for each in there:
            await each.commit(Outcome())
        await second.emit(progress("2"))
        sent = [each.messages[0].task async for each in bus.journal() if each.step == "send"]
        assert sent == ["a", "a", "b", "b", "c"]

    go(scenario())


def test_no_server_is_said_with_its_address_and_without_its_password(go: Go) -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}/0"
    with pytest.raises(BusUnavailable, match=r"redis://:\*\*\*@127.0.0.1") as caught:
        go(Bus.connect(url, "r", connect_s=0.1))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "nonsense", "redis://127.0.0.1:port"])
def test_a_url_of_something_else_is_refused(url: str, go: Go) -> None:
    with pytest.raises(BusUnavailable, match="no Redis URL"):
        go(Bus.connect(url, "r"))


def test_a_wrong_password_is_said_at_once(go: Go) -> None:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY, password="right")
        with pytest.raises(BusUnavailable, match="refused the connection"):
            go(Bus.connect(server.url.replace("right", "wrong"), "r", connect_s=30.0))
        server.stop()


def test_a_server_without_a_needed_command_is_too_old(go: Go) -> None:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY, "--rename-command", "EVALSHA_RO", "")
        with pytest.raises(ServerTooOld, match="lacks EVALSHA_RO"):
            go(Bus.connect(server.url, "r"))
        server.stop()


@pytest.fixture
def proxy(server: Server, runner: asyncio.Runner) -> Iterator[LosingProxy]:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        proxy = LosingProxy(Path(folder), server.socket)
        runner.run(proxy.start())
        yield proxy
        runner.run(proxy.stop())


@pytest.mark.parametrize("count", [1, 3])
def test_lost_replies_leave_no_duplicates(proxy: LosingProxy, connect: Connect, go: Go, count: int) -> None:
    """T2: after every kind of write, the reply is lost so many times."""

    async def scenario() -> None:
        bus = await connect(proxy.url)
        proxy.lose(count)
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        proxy.lose(count)
        await delivery.emit(progress())
        proxy.lose(count)
        await delivery.commit(
            Outcome(
                messages=(progress(),),
                changes=(Change("agent:x", AgentDoc(version=1)),),
                timers=(Timer(timedelta(0), progress()),),
            )
        )
        proxy.lose(count)
        await bus.create_run(RunDoc(id=bus.run))
        proxy.lose(count)
        await bus.fire_due_timers()
        [other, *_] = await bus.inbox("manager", "manager.here.1").receive(10)
        await other.reject("dead")
        proxy.lose(count)
        await bus.dead_retry((await bus.dead())[0].id)
        assert proxy.lost == 6 * count
        steps = [each.step async for each in bus.journal()]
        assert steps == ["send", "emit", "commit", "send", "timer", "bury", "retry"]
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": 3}

    go(scenario())


def test_the_client_repeats_nothing_by_itself(server: Server, proxy: LosingProxy, run: str, go: Go) -> None:
    """One lost reply of a plain write would else leave two entries."""

    async def scenario() -> None:
        link = Link(proxy.url, patience_s=0.0)
        proxy.lose(1, to="XADD")
        with pytest.raises(BusUnavailable):
            await link.command("XADD", f"{run}:plain", "*", "a", "b", about="write plainly")
        assert server.ask("XLEN", f"{run}:plain") == 1
        await link.close()

    go(scenario())


def test_a_read_whose_reply_was_lost_is_found_by_the_next_take_over(
    proxy: LosingProxy, connect: Connect, go: Go
) -> None:
    async def scenario() -> None:
        bus = await connect(proxy.url)
        await bus.send(message("a"), sender="manager")
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        await inbox.take_over(idle_s=1000)
        proxy.lose(1, to="XREADGROUP")
        assert await inbox.receive(block_s=0.1) == []
        assert proxy.lost == 1
        [found] = await inbox.take_over(idle_s=1000)
        assert (found.envelope.task, found.deliveries, found.entry.failures) == ("a", 2, 0)
        assert await inbox.take_over(idle_s=1000) == []
        await found.commit(Outcome())

    go(scenario())


def test_cancelled_commands_never_hand_a_reply_to_another_caller(server_url: str, go: Go, seed: int) -> None:
    """T13, with every command cancelled at another moment."""
    choose = random.Random(seed)
    link = Link(server_url, patience_s=5.0)

    async def ask(n: int) -> None:
        assert await link.command("ECHO", f"{n}", about="ask") == f"{n}".encode()

    async def scenario() -> None:
        for n in range(300):
            tasks = [asyncio.create_task(ask(10 * n + k)) for k in range(4)]
            for _ in range(choose.randrange(12)):
                await asyncio.sleep(0)
            for task in tasks[:3]:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError)
        await link.close()

    go(scenario())
