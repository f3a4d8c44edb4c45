"""Counts what outside agents say that they have used."""

from __future__ import annotations

from callboard.bus.board import TaskDoc
from callboard.bus.bus import Bus
from callboard.bus.caps import OpenCall, Spent
from callboard.bus.envelope import new_id
from callboard.bus.task import UNTIERED

MODEL = "outside"
"""Stands for models that nobody here knows."""


async def count_tokens(bus: Bus, agent: str, task: TaskDoc, tokens: int) -> None:
    """Count tokens against the caps of run, tier, task and agent. They are spent already, so nothing refuses them; their
    price is unknown, and stays so."""
    if not tokens:
        return
    tier = "" if task.task.tier == UNTIERED else task.task.tier
    call = OpenCall(id=new_id(), agent=agent, task=task.id, model=MODEL, tokens=tokens, micro_usd=None, tier=tier)
    await bus.spending.reserve(call, {}, [])
    await bus.spending.settle(call.id, Spent(calls=1, input_tokens=tokens, unpriced=1))
