"""When an agent CLI's limit ends, from what it prints."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.brain import Parked
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.limits import LONGEST, reset_in
from callboard.agents.brains.cli.session import conclude, read_session

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (f"Claude AI usage limit reached|{EPOCH + 7200}", timedelta(hours=2)),
        ("Weekly limit reached \u00b7 resets 10pm (Asia/Seoul) \u00b7 /upgrade to Max", timedelta(hours=1)),
        ("You've hit your limit \u00b7 resets 3pm (UTC)", timedelta(hours=3)),
        ("5-hour limit reached \u2219 resets 11:30am (UTC)", timedelta(hours=23, minutes=30)),
        ("Your limit will reset at 9am (America/Chicago).", timedelta(hours=3)),
        ("Weekly limit reached \u2219 resets Nov 24, 6am (UTC)", timedelta(days=2, hours=18)),
        ("You've hit your usage limit. Upgrade to Pro or try again in 2 days 17 hours 14 minutes.", timedelta(days=2, hours=17, minutes=14)),
        ("You've hit your usage limit. Try again in 5 minutes.", timedelta(minutes=5)),
        ("You've hit your usage limit. Upgrade to Pro or try again at Nov 22nd, 2026 7:38 AM UTC.", timedelta(hours=19, minutes=38)),
        ("You've hit your usage limit. To get more, try again at 1:45 PM UTC.", timedelta(hours=1, minutes=45)),
        (f'429 {{"error":{{"type":"usage_limit_reached","resets_at":{EPOCH + 60},"resets_in_seconds":60}}}}', timedelta(minutes=1)),
        ('{"error":{"type":"usage_limit_reached","resets_in_seconds":13872}}', timedelta(seconds=13872)),
        ("Rate limit reached for gpt-5 in organization org-1. Please try again in 11.054s.", timedelta(seconds=11.054)),
        ("Rate limit reached. Please try again in 6m0s. Visit https://x", timedelta(minutes=6)),
        ("[API Error: 429 You have exhausted your capacity. Your quota will reset after 161h39m41s.]", timedelta(hours=161, minutes=39, seconds=41)),
        ('{"@type":"RetryInfo","retryDelay": "26s"}', timedelta(seconds=26)),
        ("[API Error: 429 Please retry in 34.07s.]", timedelta(seconds=34.07)),
        ("429 Too Many Requests, retry-after: 20", timedelta(seconds=20)),
    ],
)  # fmt: skip
def test_the_end_of_a_limit_is_read_as_each_says_it(text: str, after: timedelta) -> None:
    assert reset_in(text, NOW) == NOW + after


@pytest.mark.parametrize(
    "text",
    [
        "",
        "API Error: Request rejected (429) \u00b7 slow down",
        "[API Error: 429 Free allocated quota exceeded.]",
        "You've hit your usage limit; limits reset every 5h and every week.",
        f"Claude AI usage limit reached|{EPOCH - 3600}",
        "Claude AI usage limit reached|99999999999999",
        "resets 99pm (UTC)",
        "resets 3pm (Nowhere/At-All)x",
        "resets Feb 31, 3pm (UTC)",
        "try again in 999999999 days",
        "resets 11:55am (UTC)",
    ],
)
def test_what_says_nothing_or_nonsense_is_not_believed(text: str) -> None:
    assert reset_in(text, NOW) is None


@given(st.text() | st.from_regex(r"(resets|try again) (in|at)? ?[0-9a-zA-Z:., ()|]{0,40}"))
def test_no_text_breaks_it_or_parks_for_ever(text: str) -> None:
    found = reset_in(text, NOW)
    assert found is None or NOW <= found <= NOW + LONGEST


def lines(cli: str, text: str) -> list[dict[str, object]]:
    """A session that ends at a limit, as each prints it."""
    match cli:
        case "codex":
            return [{"type": "error", "message": text}, {"type": "turn.failed", "error": {"message": text}}]
        case "opencode":
            return [{"type": "error", "error": {"data": {"message": text, "statusCode": 429}}}]
    return [{"type": "result", "subtype": "success", "is_error": True, "api_error_status": 429, "result": text}]


@pytest.mark.parametrize("cli", ["claude", "codex", "opencode", "qwen"])
def test_a_session_at_its_limit_is_parked_until_it_ends_and_without_a_time_until_nobody_knows(cli: str) -> None:
    for text, until in (
        ("usage limit; 429; try again in 2 hours", NOW + timedelta(hours=2)),
        ("usage limit; 429", None),
    ):
        said = "\n".join(map(json.dumps, lines(cli, text)))
        result = conclude(read_session(ADAPTERS[cli], said.encode()), "exited 1", NOW)
        assert isinstance(result, Parked)
        assert (result.cause, result.until) == ("rate_limit", until)


def test_what_claude_says_of_its_limit_by_itself_counts_before_its_words() -> None:
    event = {"type": "rate_limit_event", "rate_limit_info": {"status": "rejected", "resetsAt": EPOCH + 1800}}
    for status, minutes in (("rejected", 30), ("allowed_warning", 120)):
        info = {"status": status, "resetsAt": EPOCH + 1800, "rateLimitType": "five_hour"}
        both = [{**event, "rate_limit_info": info}, *lines("claude", "limit, try again in 2 hours")]
        result = conclude(read_session(ADAPTERS["claude"], "\n".join(map(json.dumps, both)).encode()), "", NOW)
        assert isinstance(result, Parked)
        assert result.until == NOW + timedelta(minutes=minutes)
