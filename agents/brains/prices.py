"""What a call costs in money: the user's table first, then the published prices of genai-prices. Unknown is None, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from callboard.agents.brains.budget import CallEstimate, Usage

PER = Decimal(1_000_000)
"""Prices are in USD for this many tokens."""


@dataclass(frozen=True, slots=True)
class Price:
    """A model's prices in USD per million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal
    """Of input that was read from the provider's cache."""
    cache_write: Decimal
    """Of input that was written to it."""

    def of(self, usage: Usage) -> Decimal:
        plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
        cost = plain * self.input + usage.output_tokens * self.output
        return (cost + usage.cached_tokens * self.cached + usage.cache_write_tokens * self.cache_write) / PER


@dataclass(frozen=True, slots=True)
class Prices:
    """Money for tokens.

    Args:
        own: The user's table: model, with or without its provider in front -> its prices.
    """

    own: Mapping[str, Price] = field(default_factory=dict)

    def of(self, model: str, usage: Usage) -> Decimal | None:
        """What a call did cost: as its provider said, else by price; None when nobody knows.

        Args:
            model: `provider:model`. Without a provider it is somebody's own server, whose price only the user's table has.
        """
        if usage.usd is not None:
            return usage.usd
        own = self._own(model)
        return own.of(usage) if own else published(model, usage)

    def most(self, call: CallEstimate) -> Decimal | None:
        """The most a call may cost: all of its input read anew or written to the cache, whichever is dearer."""
        if call.usd is not None:
            return call.usd
        written = (0, call.input_tokens)
        ways = [Usage(call.input_tokens, call.max_output_tokens, cache_write_tokens=tokens) for tokens in written]
        known = [cost for usage in ways if (cost := self.of(call.model, usage)) is not None]
        return max(known, default=None)

    def _own(self, model: str) -> Price | None:
        return self.own.get(model) or self.own.get(model.partition(":")[2])


def published(model: str, usage: Usage) -> Decimal | None:
    """The published price of a call; None for what is in no list."""
    provider, _, name = model.partition(":")
    if not name:
        return None
    # half a second of import, and only needed where calls are paid for
    import genai_prices

    used = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    try:
        return genai_prices.calc_price(used, name, provider_id=provider).total_price
    except (LookupError, ValueError):
        return None
