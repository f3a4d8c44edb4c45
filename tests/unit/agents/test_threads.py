"""A thread is never left running behind its caller's back."""

from __future__ import annotations

import asyncio
import threading

import pytest

from callboard.agents.threads import run_to_end


def test_a_result_and_an_error_come_back() -> None:
    assert asyncio.run(run_to_end(divmod, 7, 2)) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(run_to_end(divmod, 7, 0))


def test_a_cancelled_caller_waits_for_the_thread() -> None:
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        began.set()
        may_end.wait(30)
        ended.set()

    async def scenario() -> None:
        caller = asyncio.create_task(run_to_end(slow))
        await asyncio.to_thread(began.wait, 30)
        caller.cancel()
        await asyncio.sleep(0)
        assert not caller.done()
        may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert ended.is_set()

    asyncio.run(scenario())
