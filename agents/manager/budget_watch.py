"""Tells the desk when what calls have cost comes to most of a cap or to all of it, and when a minute of work has passed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from loguru import logger

from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.moot import has_ended
from callboard.agents.manager.worked_time import in_hand
from callboard.bus.board import Board
from callboard.bus.bus import Bus
from callboard.bus.caps import PAID_IN, Reached, Spent, is_much
from callboard.bus.errors import InboxFull
from callboard.bus.messages import BudgetReached, Draft, MinutePassed

LOOK_EVERY_S = 1.0
"""How late a person may hear of a cap; agents are refused at once, by the reservation itself."""
MINUTE_S = 60.0


@dataclass(slots=True)
class BudgetWatch:
    """Watches one run's spend. A restart loses at most a minute of time worked, and nothing of what was spent."""

    bus: Bus
    look_every_s: float = LOOK_EVERY_S
    minute_s: float = MINUTE_S
    _seen: Mapping[str, Spent] = field(default_factory=dict, init=False)
    _told: tuple[Reached, ...] = field(default=(), init=False)

    async def run(self, stop: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        minute = clock() + self.minute_s
        while not stop.is_set():
            try:
                await self.look()
                if clock() >= minute:
                    await self.count_minute()
                    minute += self.minute_s
            except InboxFull as error:
                logger.warning("spend not told, trying again", error=str(error))
            try:
                await asyncio.wait_for(stop.wait(), self.look_every_s)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """One look; the board is read only when something was spent since the last."""
        spent = (await self.bus.spending.seen()).spent
        if spent == self._seen:
            return
        reached = news(await self.bus.board(), spent)
        if reached and reached != self._told:
            await self.bus.send(Draft(MANAGER, BudgetReached(reached=reached)), sender=MANAGER)
        self._seen, self._told = spent, reached

    async def count_minute(self) -> None:
        if in_hand(await self.bus.board()):
            await self.bus.send(Draft(MANAGER, MinutePassed()), sender=MANAGER)


def news(board: Board, spent: Mapping[str, Spent]) -> tuple[Reached, ...]:
    """Caps that are nearly or wholly used and of which the board does not know that yet."""
    found = []
    for scope, costs in spent.items():
        if scope.startswith("model:") or has_ended(board, scope):
            continue
        caps = board.caps(scope)
        for what in PAID_IN:
            used, cap = costs.used(what), caps.of(what)
            known = board.budget.noticed.get(f"{scope} {what}") == cap
            if scope not in board.budget.exhausted and (used >= cap or (is_much(used, cap) and not known)):
                found.append(Reached(scope=scope, what=what, used=used, cap=cap))
    return tuple(found)
