"""The budget of work that one process does alone, outside any run: its calls count against caps of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from callboard.agents.brains.budget import CallEstimate, Reservation, Usage
from callboard.agents.brains.prices import Prices
from callboard.bus.caps import Caps, PaidIn, Spent, micro_usd, shown
from callboard.bus.errors import BudgetSpent
from callboard.bus.messages import new_id


def nobody_keeps(purse: Purse) -> None:
    pass


@dataclass(slots=True)
class Purse:
    """See Budget.

    Args:
        what: Whose it is, for people.
        caps: Tokens and USD of them count; time and attempts are for others to hold.
    """

    what: str
    caps: Caps
    prices: Prices
    spent: Spent = field(default_factory=Spent)
    held: dict[str, CallEstimate] = field(default_factory=dict)
    """By reservation: calls that are under way, or were when their process was killed. Nobody knows what those did cost, so
    they count."""
    keep: Callable[[Purse], object] = nobody_keeps
    """Takes the purse before each call, and each time that one is settled: what is kept outlives a process that is killed."""

    async def reserve(self, call: CallEstimate) -> Reservation:
        held = sum(other.tokens for other in self.held.values())
        self._refuse("tokens", self.spent.tokens + held, self.caps.tokens)
        held_usd = sum(micro_usd(most) for other in self.held.values() if (most := self.prices.most(other)) is not None)
        self._refuse("usd", self.spent.micro_usd + held_usd, self.caps.micro_usd)
        reservation = Reservation(new_id())
        self.held[reservation.id] = call
        self.keep(self)
        return reservation

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        self.settled(reservation.id, usage)

    def settled(self, reservation: str, usage: Usage) -> None:
        """Count what a call did cost, once."""
        call = self.held.pop(reservation, None)
        if call is None:
            return
        usd = self.prices.of(call.model, usage)
        self.spent = Spent(
            calls=self.spent.calls + usage.calls,
            input_tokens=self.spent.input_tokens + usage.input_tokens,
            output_tokens=self.spent.output_tokens + usage.output_tokens,
            cached_tokens=self.spent.cached_tokens + usage.cached_tokens,
            micro_usd=self.spent.micro_usd + (0 if usd is None else micro_usd(usd)),
            unpriced=self.spent.unpriced + int(usd is None and usage.tokens > 0),
        )
        self.keep(self)

    def _refuse(self, what: PaidIn, used: int, cap: int) -> None:
        """There is room while settled and held back are below the cap, as for a run (bus/spending.py)."""
        if used >= cap:
            text = f"the budget of {self.what} is spent: {shown(what, used)} of {shown(what, cap)}"
            raise BudgetSpent(text, scope="plan", what=what, used=used, cap=cap)
