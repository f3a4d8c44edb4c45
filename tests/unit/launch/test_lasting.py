"""What dies beside a roster is said once for each reason, and begun again."""

from __future__ import annotations

import asyncio

import pytest

from callboard.launch.lasting import lasting


class Work:
    """Dies of these, one each time; then ends."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.begun = 0

    async def __call__(self) -> None:
        self.begun += 1
        if self.errors:
            raise self.errors.pop(0)


def test_work_that_dies_is_begun_again_and_each_reason_is_said_once() -> None:
    said: list[str] = []
    work = Work(ValueError("torn"), ValueError("torn"), KeyError("x"))
    asyncio.run(lasting("the scribe", work, said.append, after_s=0))
    assert work.begun == 4
    again = "it is begun again, see `callboard logs launcher`"
    assert said == [
        f"the scribe died of an error, ValueError: torn; {again}",
        f"the scribe died of an error, KeyError: 'x'; {again}",
    ]


def test_what_dies_once_the_launch_ends_has_had_its_last_try() -> None:
    said: list[str] = []
    work = Work(*(ValueError("torn") for _ in range(9)))

    async def stopped() -> None:
        stop = asyncio.Event()
        stop.set()
        await lasting("the scribe", work, said.append, stop, after_s=0)

    asyncio.run(stopped())
    assert (work.begun, said) == (
        1,
        ["the scribe ended with an error, ValueError: torn; the next launch goes on from there"],
    )


def test_a_stop_ends_the_wait_for_the_next_try() -> None:
    async def stopped() -> int:
        stop, work = asyncio.Event(), Work(ValueError("torn"))
        keeps = asyncio.create_task(lasting("the scribe", work, lambda _: stop.set(), stop, after_s=3600))
        await keeps
        return work.begun

    assert asyncio.run(stopped()) == 2, "it has a last try"


def test_it_can_be_cancelled() -> None:
    async def cancelled() -> None:
        keeps = asyncio.create_task(lasting("the watch", asyncio.Event().wait, print))
        await asyncio.sleep(0)
        keeps.cancel()
        await keeps

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
