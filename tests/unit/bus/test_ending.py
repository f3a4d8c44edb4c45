from __future__ import annotations

import asyncio

import pytest

from callboard.bus.ending import end


async def loses_a_cancellation(gate: asyncio.Event) -> None:
    """As asyncio.wait_for of Python 3.11 does at a bad moment."""
    try:
        await gate.wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()


async def fails() -> None:
    raise ValueError("of no interest any more")


@pytest.mark.timeout(30)
def test_a_task_that_loses_a_cancellation_ends_all_the_same() -> None:
    async def scenario() -> None:
        task = asyncio.create_task(loses_a_cancellation(asyncio.Event()))
        failed = asyncio.create_task(fails())
        await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=0.1)
        assert not done, "one cancellation would have been enough"
        await end(task, failed)
        assert task.cancelled()
        assert failed.done()

    asyncio.run(scenario())


def test_nothing_to_end_is_fine() -> None:
    asyncio.run(end())
