"""Attack 18: a server that lies about tokens. It gives nothing back, and what it does not say counts in full."""

from __future__ import annotations

import pytest
from pydantic_ai.messages import ModelResponse
from pydantic_ai.usage import RequestUsage

from callboard.agents.brains.budget import MAX_TOKENS, Usage
from callboard.agents.brains.model.wire import usage_of

MOST = Usage(700, 16_384)


@pytest.mark.parametrize(
    "said",
    [
        RequestUsage(),
        RequestUsage(input_tokens=-(10**6), output_tokens=5),
        RequestUsage(input_tokens=5, output_tokens=-(10**6)),
        RequestUsage(input_tokens=5, cache_read_tokens=-5),
        RequestUsage(input_tokens=5, cache_write_tokens=-5),
        RequestUsage(input_tokens=10**30, output_tokens=1),
    ],
    ids=["nothing", "negative input", "negative output", "negative cached", "negative written", "more than there is"],
)
def test_what_cannot_be_counts_as_the_most_a_call_may_cost(said: RequestUsage) -> None:
    assert usage_of(ModelResponse(parts=[], usage=said), MOST) == MOST


def test_any_other_count_is_the_servers_own() -> None:
    said = RequestUsage(input_tokens=MAX_TOKENS, output_tokens=2, cache_read_tokens=3, cache_write_tokens=4)
    assert usage_of(ModelResponse(parts=[], usage=said), MOST) == Usage(MAX_TOKENS, 2, 3, cache_write_tokens=4)
