"""Holds an agent CLI to its budget: one call's worth is reserved ahead, and each report settles what was used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from callboard.agents.brains.budget import NOTHING, Budget, CallEstimate, Reservation, Usage
from callboard.agents.brains.cli.adapter import Adapter, Report
from callboard.bus.errors import BudgetSpent

OWN_INPUT = 25_000
"""Tokens of its own instructions and tools that a CLI sends before ours; the largest seen is Claude Code's, about 20,000."""
MAX_OUTPUT = 16_384
"""Tokens of one answer, as for a model (ModelSettings.max_tokens)."""
CHARACTERS_PER_TOKEN = 3
"""Fewer than any tokenizer's average, so that the estimate is high."""


@dataclass(frozen=True, slots=True)
class Spending:
    """What was used since the last of these."""

    model: str
    """As prices have it."""
    usage: Usage
    reservation: Reservation


def _unnoted(_: Spending) -> None:
    """For who keeps no log."""


@dataclass(slots=True)
class Meter:
    """One session. What is not settled at its end stays reserved, and so counts in full."""

    budget: Budget
    task: str
    model: str
    """As prices have it (`priced_as`), or as near to that as is known."""
    name: Callable[[str], str] = str
    """A model that the CLI reports -> as prices have it."""
    note: Callable[[Spending], None] = _unnoted
    """Told of what was used before it is settled."""
    is_complete: bool = False
    """The last report was of the whole session."""
    _open: Reservation | None = None
    _input: int = 0
    """What the next call will send: what the last one did, and its answer."""
    _counted: Usage = field(default_factory=Usage)
    _of_message: dict[str, Usage] = field(default_factory=dict)

    async def begin(self, prompt: str) -> None:
        """Reserve for the first call.

        Raises:
            BudgetSpent
        """
        self._input = OWN_INPUT + len(prompt) // CHARACTERS_PER_TOKEN
        await self._reserve()

    async def report(self, report: Report) -> None:
        """Settle what was used, and reserve for the next call.

        Raises:
            BudgetSpent: The CLI is to be stopped.
        """
        self.is_complete = report.is_total
        used = self._new(report)
        if not used.tokens:
            return
        await self._rename(report, used)
        self._counted = _sum(self._counted, used)
        if self._open is None:
            await self._reserve()
        await self._settle(used)
        if not report.is_total:
            self._input = report.usage.input_tokens + report.usage.output_tokens
            await self._reserve()

    async def end(self) -> None:
        """The session is over, and everything it used was reported."""
        await self._settle(NOTHING)

    async def _rename(self, report: Report, used: Usage) -> None:
        """What was reserved for a model that was only guessed is moved to the one that answered."""
        model = self.name(report.model) if report.model else self.model
        if model == self.model:
            return
        guessed, self.model = self._open, model
        try:
            self._open = await self.budget.reserve(
                CallEstimate(self.task, model, used.input_tokens, used.output_tokens)
            )
        except BudgetSpent:
            await self._settle(used)
            raise
        if guessed is not None:
            await self.budget.settle(guessed, NOTHING)

    def _new(self, report: Report) -> Usage:
        """What a report adds to those before it."""
        if report.is_total:
            return _difference(report.usage, self._counted)
        if not report.message:
            return report.usage
        known = self._of_message.get(report.message, Usage())
        self._of_message[report.message] = _most(known, report.usage)
        return _difference(report.usage, known)

    async def _reserve(self) -> None:
        self._open = await self.budget.reserve(CallEstimate(self.task, self.model, self._input, MAX_OUTPUT))

    async def _settle(self, used: Usage) -> None:
        if self._open is not None:
            if used.tokens:
                self.note(Spending(self.model, used, self._open))
            await self.budget.settle(self._open, used)
            self._open = None


def priced_as(adapter: Adapter, model: str, *, is_own_server: bool) -> str:
    """A model's name with its provider in front, as prices are looked up; without one where it is somebody's own server.

    Args:
        model: As the CLI calls it; "" = its default.
    """
    if is_own_server or not model:
        return model or adapter.name
    if adapter.provider:
        return f"{adapter.provider}:{model}"
    provider, _, name = model.partition("/")
    return f"{provider}:{name}" if name else model


def _sum(one: Usage, other: Usage) -> Usage:
    return Usage(
        one.input_tokens + other.input_tokens,
        one.output_tokens + other.output_tokens,
        one.cached_tokens + other.cached_tokens,
        cache_write_tokens=one.cache_write_tokens + other.cache_write_tokens,
    )


def _most(one: Usage, other: Usage) -> Usage:
    return _sum(one, _difference(other, one))


def _difference(whole: Usage, part: Usage) -> Usage:
    """What is in the whole beyond the part; nothing is ever given back."""
    return Usage(
        max(0, whole.input_tokens - part.input_tokens),
        max(0, whole.output_tokens - part.output_tokens),
        max(0, whole.cached_tokens - part.cached_tokens),
        cache_write_tokens=max(0, whole.cache_write_tokens - part.cache_write_tokens),
    )
