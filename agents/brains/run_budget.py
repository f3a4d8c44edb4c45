"""One agent's budget, kept on the bus: it counts against the caps of the run, the tier, the task and the agent, over all agents at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from callboard.agents.brains.budget import CallEstimate, Reservation, Usage
from callboard.agents.brains.prices import Prices
from callboard.bus.board import Board, BudgetDoc, TaskDoc
from callboard.bus.bus import Bus
from callboard.bus.caps import Caps, OpenCall, Spent, What, called, micro_usd, shown, tier_scopes
from callboard.bus.errors import BoardStale, BudgetSpent
from callboard.bus.messages import new_id
from callboard.bus.spending import Full

PATIENCE_S = 120.0
"""How long a call waits while only what others hold back leaves no room: most calls are settled within two minutes."""
LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class RunBudget:
    """See Budget.

    Args:
        agent: Who pays. Wired by app.py, never said by a brain.
        sleep: Waits between two tries.
    """

    bus: Bus
    agent: str
    prices: Prices
    patience_s: float = PATIENCE_S
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep

    async def reserve(self, call: CallEstimate) -> Reservation:
        most = self.prices.most(call)
        held = OpenCall(
            id=new_id(),
            agent=self.agent,
            task=call.task,
            model=call.model,
            tokens=call.tokens,
            micro_usd=None if most is None else micro_usd(most),
            tier=await self._tier(call.task),
        )
        waited_s = 0.0
        while (full := await self._reserve(held)) is not None:
            if full.is_spent or waited_s >= self.patience_s:
                raise no_room(full)
            await self.sleep(LOOK_S)
            waited_s += LOOK_S
        return Reservation(held.id)

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        call = await self.bus.spending.call(reservation.id)
        if call is None:
            return
        usd = self.prices.of(call.model, usage)
        paid = Spent(
            calls=usage.calls,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            micro_usd=0 if usd is None else micro_usd(usd),
            unpriced=int(usd is None and usage.tokens > 0),
        )
        await self.bus.spending.settle(call.id, paid)

    async def _tier(self, task: str) -> str:
        """Once a task was begun it never changes; "" = it is in none."""
        spec = (await self.bus.doc(f"task:{task}", TaskDoc)).spec
        return spec.tier if spec is not None and tier_scopes(spec.tier) else ""

    async def _reserve(self, call: OpenCall) -> Full | None:
        """Try once, with the caps as they are now.

        Raises:
            BudgetSpent: A scope is known to have used up its cap.
        """
        while True:
            task = await self.bus.doc(f"task:{call.task}", TaskDoc)
            doc = await self.bus.doc("budget", BudgetDoc)
            board = Board({"budget": doc, f"task:{call.task}": task})
            caps = {scope: board.caps(scope) for scope in call.scopes}
            _check(doc, caps)
            try:
                return await self.bus.spending.reserve(call, caps, [("budget", doc.version)])
            except BoardStale:
                continue


def _check(doc: BudgetDoc, caps: dict[str, Caps]) -> None:
    """What the desk counts: minutes, and what it has found to be used up. Begun attempts may go on.

    Raises:
        BudgetSpent
    """
    for scope, cap in caps.items():
        known = doc.exhausted.get(scope)
        if known is not None and known.what not in ("attempts", "gate_runs"):
            raise spent(scope, known.what, known.used, known.cap)
        worked = doc.worked.get(scope)
        if worked is not None and worked.minutes >= cap.minutes:
            raise spent(scope, "minutes", worked.minutes, cap.minutes)


def spent(scope: str, what: What, used: int, cap: int) -> BudgetSpent:
    text = f"the budget of {called(scope)} is spent: {shown(what, used)} of {shown(what, cap)}"
    return BudgetSpent(text, scope=scope, what=what, used=used, cap=cap)


def no_room(full: Full) -> BudgetSpent:
    if full.is_spent:
        return spent(full.scope, full.what, full.settled, full.cap)
    text = (
        f"the budget of {called(full.scope)} has no room: {shown(full.what, full.settled)} of {shown(full.what, full.cap)} "
        f"are spent, and {shown(full.what, full.held)} are held back for calls that are not settled"
    )
    return BudgetSpent(text, scope=full.scope, what=full.what, used=full.settled + full.held, cap=full.cap)
