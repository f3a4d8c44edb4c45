"""The budget of work outside any run."""

from __future__ import annotations

import asyncio

from callboard.agents.brains.budget import CallEstimate, Usage
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.purse import Purse
from callboard.bus.caps import Caps, Spent

CAPS = Caps(tokens=1_000, micro_usd=10**9, minutes=0, attempts=0)
CALL = CallEstimate("p-1", "nobody:model", 100, 50)


def test_what_was_spent_is_kept_with_each_call_so_that_a_kill_forgets_none() -> None:
    kept: list[Spent] = []
    purse = Purse("a plan", CAPS, Prices(), keep=kept.append)

    async def call() -> None:
        held = await purse.reserve(CALL)
        await purse.settle(held, Usage(100, 20))
        await purse.settle(held, Usage(100, 20))

    asyncio.run(call())
    asyncio.run(call())
    assert [spent.tokens for spent in kept] == [120, 240]
    again = Purse("a plan", CAPS, Prices(), kept[-1])
    assert again.spent == purse.spent
