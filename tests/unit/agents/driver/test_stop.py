"""Whatever ends a piece of work, nothing of it goes on."""

from __future__ import annotations

import asyncio

import pytest

from callboard.agents.driver.progress import Progress
from callboard.agents.driver.stop import Stop, Stopped, until_stopped


class Long:
    """Work that only ends when it is cancelled, and says so."""

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.cleaned_up = False

    async def work(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.cleaned_up = True


async def send(_: str) -> None:
    return None


def test_work_that_ends_gives_its_result_or_its_error() -> None:
    async def scenario() -> None:
        assert await until_stopped(asyncio.sleep(0, "done"), Stop()) == "done"
        with pytest.raises(ZeroDivisionError):
            await until_stopped(asyncio.to_thread(divmod, 1, 0), Stop())

    asyncio.run(scenario())


def test_a_thrown_switch_ends_the_work_after_it_has_cleaned_up() -> None:
    async def scenario() -> None:
        stop, long = Stop(), Long()
        running = asyncio.create_task(until_stopped(long.work(), stop, Progress(send, every_s=0)))
        await long.began.wait()
        stop.throw("enough")
        stop.throw("again")
        with pytest.raises(Stopped, match="enough"):
            await running
        assert long.cleaned_up
        with pytest.raises(Stopped):
            stop.check()
        with pytest.raises(Stopped):
            await until_stopped(Long().work(), stop)

    asyncio.run(scenario())


def test_work_that_is_done_counts_although_the_switch_was_thrown_meanwhile() -> None:
    async def scenario() -> None:
        stop = Stop()

        async def work() -> str:
            stop.throw("too late")
            return "done"

        assert await until_stopped(work(), stop) == "done"

    asyncio.run(scenario())


def test_a_progress_that_cannot_be_sent_ends_the_work_with_its_error() -> None:
    async def broken(_: str) -> None:
        raise ConnectionError("gone")

    async def scenario() -> None:
        long, progress = Long(), Progress(broken, every_s=0)
        await progress.report("hello")
        with pytest.raises(ConnectionError):
            await until_stopped(long.work(), Stop(), progress)
        assert long.cleaned_up

    asyncio.run(scenario())


def test_a_cancelled_caller_leaves_nothing_running_and_finishes_a_send_under_way() -> None:
    sent: list[str] = []
    sending, may_send = asyncio.Event(), asyncio.Event()

    async def slow(line: str) -> None:
        sending.set()
        await may_send.wait()
        sent.append(line)

    async def scenario() -> None:
        long, progress = Long(), Progress(slow, every_s=0)
        await progress.report("hello")
        running = asyncio.create_task(until_stopped(long.work(), Stop(), progress))
        await sending.wait()
        running.cancel()
        await asyncio.sleep(0)
        may_send.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert long.cleaned_up
        assert sent == ["hello"]

    asyncio.run(scenario())
