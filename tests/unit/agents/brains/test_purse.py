"""The budget of work outside any run."""

from __future__ import annotations

import asyncio

import pytest

from callboard.agents.brains.budget import CallEstimate, Usage
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.purse import Purse
from callboard.bus.caps import Caps, Spent
from callboard.bus.errors import BudgetSpent

CAPS = Caps(tokens=1_000, micro_usd=10**9, minutes=0, attempts=0)
CALL = CallEstimate("p-1", "nobody:model", 100, 50)


def test_what_was_spent_is_kept_with_each_call_so_that_a_kill_forgets_none() -> None:
    kept: list[Spent] = []
    purse = Purse("a plan", CAPS, Prices(), keep=lambda it: kept.append(it.spent))

    async def call() -> None:
        held = await purse.reserve(CALL)
        await purse.settle(held, Usage(100, 20))
        await purse.settle(held, Usage(100, 20))

    asyncio.run(call())
    asyncio.run(call())
    assert [spent.tokens for spent in kept] == [0, 120, 120, 240]
    again = Purse("a plan", CAPS, Prices(), kept[-1])
    assert again.spent == purse.spent


def test_a_call_that_a_kill_broke_off_is_held_against_the_caps_from_before_it_was_made() -> None:
    kept: list[dict[str, CallEstimate]] = []
    purse = Purse("a plan", CAPS, Prices(), keep=lambda it: kept.append(dict(it.held)))
    dear = CallEstimate("p-1", "nobody:model", 900, 100)
    asyncio.run(purse.reserve(dear))  # and is killed
    again = Purse("a plan", CAPS, Prices(), held=kept[-1])
    assert list(again.held.values()) == [dear]
    with pytest.raises(BudgetSpent, match=r"the budget of a plan is spent: 1,000 tokens of 1,000 tokens"):
        asyncio.run(again.reserve(CALL))
