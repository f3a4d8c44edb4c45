"""What thinking may cost: a call's most is reserved before it is made, and what it did cost is settled after it.

A brain that pays for calls is handed a `Budget` and does, around each live request:

    reservation = await budget.reserve(CallEstimate(task, model, input_tokens, max_output_tokens))
    ... the request; its response goes to the call log, with `reservation.id` ...
    await budget.settle(reservation, usage)

`BudgetSpent` is let through: the driver parks the attempt. A call that certainly cost nothing is settled with `NOTHING`.
One whose usage nobody knows (a cut stream, a killed process) is not settled: its reservation stays open and counts in
full. What a resumed attempt finds in the call log it settles with `Reservation(id)`; a second time changes nothing.
An agent's command line reserves before it starts, and at each usage report settles and reserves again.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from callboard.bus.caps import Reached
from callboard.bus.errors import BudgetSpent

MAX_TOKENS = 1_000_000_000
"""More than any session uses; a larger number is no number of tokens."""


@dataclass(frozen=True, slots=True)
class CallEstimate:
    """The most one call may cost."""

    task: str
    """The task's id on the board; a review is paid for by the task it judges."""
    model: str
    """As the provider calls it, with the provider in front where that is known: `anthropic:claude-opus-4-5`."""
    input_tokens: int
    """Known or estimated: everything that is sent, cached parts included."""
    max_output_tokens: int
    usd: Decimal | None = None
    """None = as agents/brains/prices.py has it, which may be unknown."""

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.max_output_tokens


@dataclass(frozen=True, slots=True)
class Reservation:
    """An amount that is held back for one call, until it is settled."""

    id: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call did cost, as the provider says."""

    input_tokens: int = 0
    """Everything that was sent, cached parts included."""
    output_tokens: int = 0
    """Everything that came back, thinking included."""
    cached_tokens: int = 0
    """Of `input_tokens`, what was read from the provider's cache."""
    usd: Decimal | None = None
    """None = as agents/brains/prices.py has it, which may be unknown. Unknown is never 0."""
    cache_write_tokens: int = 0
    """Of `input_tokens`, what was written to the provider's cache."""
    calls: int = 1
    """0 = the call was never made, or the provider refused it."""

    @property
    def tokens(self) -> int:
        """What counts against a cap: all of them, cached ones too."""
        return self.input_tokens + self.output_tokens


NOTHING = Usage(calls=0)
"""Of a call that certainly cost nothing."""


def reached_by(error: BudgetSpent) -> Reached:
    """The cap that a call was not made for."""
    return Reached(scope=error.scope, what=error.what, used=error.used, cap=error.cap)


class Budget(Protocol):
    """What a brain sees of its budget; what it may cost is decided elsewhere."""

    async def reserve(self, call: CallEstimate) -> Reservation:
        """Hold back what a call may cost.

        Raises:
            BudgetSpent: There is no room under a cap of the run, the task or the agent.
            BusUnavailable
        """
        ...

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Count what the call did cost, and let go of the rest; once, however often it is said."""
        ...
