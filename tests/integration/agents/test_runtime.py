from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from handlers import Scripted, message, progress
from loguru import logger
from runtimes import committed, entry, everything, running
from servers import Server
from waiting import Go

from callboard.agents.runtime import Runtime, Work
from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.errors import Reject, Retry
from callboard.bus.messages import (
    JOURNAL,
    Draft,
    FeedbackLogged,
    MessageRefused,
    Outcome,
    Timer,
    TimerFired,
    VerdictGiven,
)


async def send(bus: Bus, *names: str, sender: str = "manager") -> None:
    for name in names:
        await bus.send(message(name), sender=sender)


def test_one_lane_is_handled_in_order_and_one_at_a_time(bus: Bus, go: Go) -> None:
    handler = Scripted()

    async def scenario() -> None:
        await send(bus, "a/1", "a/2", "a/3")
        async with running(bus, handler):
            await committed(bus, 3)

    go(scenario())
    assert handler.began == handler.ended == ["a/1", "a/2", "a/3"]


def test_a_message_of_another_lane_reaches_its_handler_while_a_long_one_runs(bus: Bus, go: Go) -> None:
    may_end = asyncio.Event()

    async def long_then_short(work: Work) -> None:
        if work.envelope.task == "work/1":
            await may_end.wait()
        elif work.envelope.task == "notice/1":
            may_end.set()

    handler = Scripted(long_then_short)

    async def scenario() -> None:
        async with running(bus, handler):
            await send(bus, "work/1", "work/2")
            await handler.until(lambda: handler.began == ["work/1"])
            await send(bus, "notice/1")
            await committed(bus, 3)

    go(scenario())
    assert handler.began == ["work/1", "notice/1", "work/2"]


def test_what_a_handler_returns_is_sent_written_and_timed_with_its_ack(bus: Bus, go: Go) -> None:
    async def work(work: Work) -> Outcome:
        await work.emit(progress("on it"))
        return Outcome(
            messages=(progress("done"), Draft(JOURNAL, FeedbackLogged(log="driver-1", entry="task"))),
            changes=(Change("agent:driver-1", AgentDoc(version=1, name="driver-1")),),
            timers=(Timer(timedelta(0), Draft("manager", TimerFired(about="review"))),),
        )

    async def scenario() -> None:
        await send(bus, "a")
        async with running(bus, Scripted(work)):
            await entry(bus, lambda each: each.step == "timer")
        assert await bus.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": 3}
        assert (await bus.board()).get("agent:driver-1", AgentDoc).name == "driver-1"

    go(scenario())


def test_a_verdict_from_a_driver_is_refused_and_recorded(bus: Bus, go: Go) -> None:
    """Attack 12; with the wall switched off it is handled."""
    verdict = Draft(
        "driver-1", VerdictGiven(review="r", commit=None, requirements_hash="h", vote="approved"), task="T-1"
    )

    def only_reviewers(sender: str, kind: str) -> bool:
        return kind != "verdict.given" or sender.startswith("reviewer")

    async def scenario() -> None:
        handler = Scripted()
        async with running(bus, handler, may_send=only_reviewers):
            sent = await bus.send(verdict, sender="driver-2")
            refused = await entry(bus, lambda each: each.step == "bury")
        assert handler.began == []
        [note] = refused.messages
        assert note.body == MessageRefused(
            refused=sent.id,
            refused_kind="verdict.given",
            refused_sender="driver-2",
            reason="driver-2 may not send verdict.given",
        )
        [letter] = await bus.dead()
        assert (letter.envelope, letter.error) == (sent, "driver-2 may not send verdict.given")

        without_the_wall = Scripted()
        async with running(bus, without_the_wall):
            await bus.send(verdict, sender="driver-2")
            await committed(bus, 1)
        assert without_the_wall.began == ["T-1"]

    go(scenario())


def test_an_entry_for_another_agents_log_is_refused_by_whoever_gets_it(server: Server, bus: Bus, go: Go) -> None:
    """The bus refuses to send it, so it is put in as somebody would who speaks to the server directly."""

    async def scenario() -> None:
        template = await bus.send(message("T-1"), sender="driver-2")
        [delivery] = await bus.inbox("driver-1", "x").receive()
        await delivery.commit(Outcome())
        forged = template.model_copy(
            update={"kind": "feedback.logged", "body": FeedbackLogged(log="manager", entry="task")}
        )
        server.ask("XADD", bus.keys.inbox("driver-1"), "*", "m", forged.encode())
        handler = Scripted()
        async with running(bus, handler):
            await entry(bus, lambda each: each.step == "bury")
        assert handler.began == []
        [letter] = await bus.dead()
        assert letter.error == "driver-2 may not write to the feedback log of manager"

    go(scenario())


def test_a_stale_board_calls_the_handler_again_and_is_no_failure(bus: Bus, go: Go) -> None:
    versions = [1, 1, 1, 1, 1, 1, 2]

    async def behind(work: Work) -> Outcome:
        return Outcome(changes=(Change("agent:x", AgentDoc(version=versions.pop(0))),))

    async def scenario() -> None:
        await send(bus, "a", "b")
        handler = Scripted(behind)
        async with running(bus, handler):
            await committed(bus, 2)
        assert handler.began == ["a", *["b"] * 6]
        assert await bus.dead() == []

    go(scenario())


def test_a_retry_comes_back_and_counts_as_a_failure(bus: Bus, go: Go) -> None:
    async def always_later(work: Work) -> None:
        raise Retry("not yet", after_s=0.0)

    async def scenario() -> None:
        await send(bus, "a")
        handler = Scripted(always_later)
        async with running(bus, handler):
            buried = await entry(bus, lambda each: each.step == "bury")
        assert handler.began == ["a"] * 5
        assert buried.dead is not None
        assert (buried.dead.failures, buried.dead.error) == (5, "not yet")

    go(scenario())


def test_a_rejected_message_is_dead_at_once_with_its_reason(bus: Bus, go: Go) -> None:
    async def never(work: Work) -> None:
        raise Reject("nonsense")

    async def scenario() -> None:
        await send(bus, "a")
        async with running(bus, Scripted(never)):
            await entry(bus, lambda each: each.step == "bury")
        [letter] = await bus.dead()
        assert (letter.reason, letter.error, letter.failures) == ("rejected", "nonsense", 0)

    go(scenario())


@pytest.mark.parametrize("emits", [False, True])
def test_a_message_whose_handler_always_raises_is_dead_after_exactly_five(bus: Bus, go: Go, emits: bool) -> None:
    """Also when the handler reports progress each time before it raises: docs/decisions say why."""

    async def poison(work: Work) -> None:
        if work.envelope.task.startswith("poison"):
            if emits:
                await work.emit(progress())
            raise ZeroDivisionError("broken")

    async def scenario() -> None:
        lines: list[str] = []
        sink = logger.add(lines.append, format="{message} {exception}", level="ERROR")
        await send(bus, "ok/1", "poison", "ok/2", "other")
        handler = Scripted(poison)
        async with running(bus, handler):
            await entry(bus, lambda each: each.step == "bury")
            await committed(bus, 3)
        logger.remove(sink)
        assert handler.began.count("poison") == 5
        assert sorted(set(handler.began)) == ["ok/1", "ok/2", "other", "poison"]
        [letter] = await bus.dead()
        assert (letter.failures, letter.error) == (5, "ZeroDivisionError: broken")
        said = [line for line in lines if line.startswith("handler raised")]
        assert len(said) == 5
        assert all("Traceback" in line and "ZeroDivisionError: broken" in line for line in said)

    go(scenario())


def test_a_handler_that_takes_too_long_is_stopped_and_counts_as_a_failure(bus: Bus, go: Go) -> None:
    stopped: list[str] = []

    async def hangs(work: Work) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            stopped.append(work.envelope.task)
            raise

    async def scenario() -> None:
        await send(bus, "a")
        async with running(bus, Scripted(hangs), handler_timeout_s=0.05):
            buried = await entry(bus, lambda each: each.step == "bury")
        assert buried.dead is not None
        assert buried.dead.error == "not handled within 0.05 s"
        assert stopped == ["a"] * 5

    go(scenario())


def test_a_stop_lets_a_running_handler_finish_and_gives_back_what_waits(bus: Bus, go: Go) -> None:
    may_end = asyncio.Event()

    async def slow(work: Work) -> None:
        await may_end.wait()

    async def scenario() -> None:
        await send(bus, "a/1", "a/2")
        handler = Scripted(slow)
        async with running(bus, handler) as stop:
            await handler.until(lambda: handler.began == ["a/1"])
            stop.set()
            may_end.set()
        assert handler.ended == ["a/1"]
        [back] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=1000)
        assert (back.envelope.task, back.entry.failures) == ("a/2", 0)

    go(scenario())


def test_a_handler_that_outlasts_the_grace_is_cancelled_and_its_message_given_back(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await send(bus, "a")
        handler = Scripted(lambda work: asyncio.Event().wait())  # type: ignore[arg-type, return-value]
        async with running(bus, handler, grace_s=0.05) as stop:
            await handler.until(lambda: handler.began == ["a"])
            stop.set()
        assert handler.ended == ["a"]
        [back] = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=1000)
        assert (back.envelope.task, back.entry.failures) == ("a", 0)

    go(scenario())


def test_a_cancelled_runtime_gives_back_what_it_holds(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        await send(bus, "a/1", "a/2")
        handler = Scripted(lambda work: asyncio.Event().wait())  # type: ignore[arg-type, return-value]

        runtime = Runtime(bus, {"driver-1": handler}, "driver-1.here.1", may_send=everything, handler_timeout_s=20.0)
        task = asyncio.create_task(runtime.run(asyncio.Event()))
        await handler.until(lambda: handler.began == ["a/1"])
        task.cancel()
        await asyncio.wait({task})
        back = await bus.inbox("driver-1", "driver-1.there.2").take_over(idle_s=1000)
        assert [(each.envelope.task, each.entry.failures) for each in back] == [("a/1", 0), ("a/2", 0)]

    go(scenario())
