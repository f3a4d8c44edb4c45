"""How long a provider's refusal says to wait."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.model.resets import LONGEST_S, wait_s

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "30"}, 30),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "Mon, 02 Mar 2026 12:10:00 GMT"}, 600),
        ({"retry-after": "Mon, 02 Mar 2026 11:10:00 GMT"}, 0),
        ({"retry-after": "soon", "x-ratelimit-reset-requests": "1m30s"}, 90),
        ({"retry-after": "7", "x-ratelimit-reset-requests": "1m30s"}, 7),
        ({"anthropic-ratelimit-requests-reset": "2026-03-02T12:00:42Z"}, 42),
        ({"x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
        ({"x-ratelimit-reset-tokens": "1h2m3.5s"}, 3723.5),
        ({"x-ratelimit-reset-tokens": "12"}, 12),
        ({"x-ratelimit-reset": "1772452860"}, 60),
        ({"x-ratelimit-reset": "1772452860000"}, 60),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "900",
            },
            1,
        ),
        (
            {
                "anthropic-ratelimit-input-tokens-reset": "2026-03-02T12:05:00Z",
                "anthropic-ratelimit-input-tokens-remaining": "5000",
                "anthropic-ratelimit-output-tokens-reset": "2026-03-02T12:00:10Z",
                "anthropic-ratelimit-output-tokens-remaining": "0",
            },
            10,
        ),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "999999999999"}, LONGEST_S),
        ({"x-ratelimit-reset-tokens": "6 minutes"}, None),
        ({"x-ratelimit-reset-tokens": "inf"}, None),
        ({"anthropic-ratelimit-requests-reset": "9999-12-31T23:59:59Z"}, LONGEST_S),
    ],
)
def test_a_wait_is_read_from_what_the_provider_says(headers: dict[str, str], seconds: float | None) -> None:
    assert wait_s(headers, NOW) == (None if seconds is None else pytest.approx(seconds))


NAMES = (
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-reset",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-x-reset",
)


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_no_header_is_too_strange(headers: dict[str, str]) -> None:
    found = wait_s(headers, NOW)
    assert found is None or 0 <= found <= LONGEST_S
