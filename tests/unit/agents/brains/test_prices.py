"""What a call costs in money."""

from __future__ import annotations

from decimal import Decimal

from callboard.agents.brains.budget import CallEstimate, Usage
from callboard.agents.brains.prices import Price, Prices

OWN = Price(input=Decimal(1), output=Decimal(4), cached=Decimal("0.1"), cache_write=Decimal("1.25"))
MILLION = Usage(input_tokens=1_000_000, output_tokens=500_000)


def test_the_users_table_stands_above_the_published_prices() -> None:
    published = Prices().of("anthropic:claude-opus-4-5", MILLION)
    own = Prices({"claude-opus-4-5": OWN}).of("anthropic:claude-opus-4-5", MILLION)
    assert own == Decimal(3)
    assert published is not None
    assert published > own


def test_a_price_may_be_given_for_one_provider_alone() -> None:
    prices = Prices({"openai:gpt-5": OWN})
    assert prices.of("openai:gpt-5", MILLION) == Decimal(3)
    assert prices.of("azure:gpt-5", MILLION) != Decimal(3)


def test_an_unknown_price_is_unknown_and_not_nothing() -> None:
    assert Prices().of("openai:no-such-model", MILLION) is None
    assert Prices().of("no-such-provider:gpt-5", MILLION) is None
    assert Prices().most(CallEstimate("T-1", "openai:no-such-model", 1_000, 1_000)) is None


def test_a_model_without_a_provider_is_priced_by_the_users_table_alone() -> None:
    """A server of one's own may call its model gpt-5; it does not cost what OpenAI asks for."""
    assert Prices().of("gpt-5", MILLION) is None
    assert Prices({"gpt-5": OWN}).of("gpt-5", MILLION) == Decimal(3)


def test_what_the_provider_says_is_believed() -> None:
    assert Prices({"m": OWN}).of("m", Usage(input_tokens=1_000_000, usd=Decimal("0.5"))) == Decimal("0.5")


def test_cached_input_has_a_price_of_its_own() -> None:
    usage = Usage(input_tokens=1_000_000, cached_tokens=600_000, cache_write_tokens=200_000)
    assert Prices({"m": OWN}).of("m", usage) == Decimal("0.2") + Decimal("0.06") + Decimal("0.25")


def test_more_cached_than_sent_is_no_negative_price() -> None:
    assert Prices({"m": OWN}).of("m", Usage(input_tokens=10, cached_tokens=1_000_000)) == Decimal("0.1")
    assert Prices().of("anthropic:claude-opus-4-5", Usage(input_tokens=10, cached_tokens=20)) is None


def test_the_most_a_call_may_cost_covers_writing_all_of_it_to_the_cache() -> None:
    call = CallEstimate("T-1", "m", input_tokens=1_000_000, max_output_tokens=0)
    assert Prices({"m": OWN}).most(call) == Decimal("1.25")
    known = Prices().most(CallEstimate("T-1", "anthropic:claude-opus-4-5", 1_000_000, 1_000))
    written = Prices().of("anthropic:claude-opus-4-5", Usage(1_000_000, 1_000, cache_write_tokens=1_000_000))
    assert known == written
