"""Time for a reviewer's brain: what is left of it, and an end for one that does not keep it."""

from __future__ import annotations

import asyncio
from datetime import datetime

from callboard.agents.brains.brain import Inquiry, Judge, Seat
from callboard.bus.errors import BrainError

OVERTIME_S = 30.0
"""A brain keeps its own time limit; one that does not even end its processes within this is cancelled."""


def limit_s(seat: Seat, deadline: datetime, now: datetime) -> float:
    """How long an answer may take: as long as the seat has, and not past the deadline.

    Raises:
        BrainError: No time is left.
    """
    left_s = min((deadline - now).total_seconds(), seat.timeout_s)
    if left_s <= 0:
        raise BrainError("the deadline had passed before it began")
    return left_s


async def answer_in_time(brain: Judge, asked: Inquiry) -> str:
    """What a brain answers within its seat's limit.

    Raises:
        BrainError: It did not.
    """
    try:
        async with asyncio.timeout(asked.seat.timeout_s + OVERTIME_S):
            return (await brain.answer(asked)).text
    except TimeoutError as error:
        raise BrainError(f"no answer within {asked.seat.timeout_s:g} s, nor soon after") from error
