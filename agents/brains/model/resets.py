"""When a provider takes more, read from the headers of its refusal; hostile until parsed. Pure.

| header | sent by | form |
|---|---|---|
| `retry-after-ms`, `retry-after` | nearly all | milliseconds; seconds or an HTTP date |
| `anthropic-ratelimit-<what>-reset` | Anthropic | RFC 3339 |
| `x-ratelimit-reset-<what>` | OpenAI and others | `6m0s`, `20ms`; seconds |
| `x-ratelimit-reset` | gateways | seconds, or seconds or milliseconds since 1970 |

`<what>` is requests, tokens and the like, each with a `remaining` beside it; the one that is used up counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST_S = 30 * 24 * 3600.0
"""More than any provider's window; what says more is nonsense."""

_UNITS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|us|µs|ns|d|h|m|s)")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")


def wait_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds until it takes more; None when the headers do not say.

    Args:
        headers: Names in any case.
    """
    said = {name.lower(): value.strip() for name, value in headers.items()}
    found = _retry_after(said, now)
    if found is None:
        found = max(_resets(said, now), default=None)
    return None if found is None else min(max(found, 0.0), LONGEST_S)


def _retry_after(said: Mapping[str, str], now: datetime) -> float | None:
    if _NUMBER.fullmatch(said.get("retry-after-ms", "")):
        return float(said["retry-after-ms"]) / 1000
    value = said.get("retry-after", "")
    if _NUMBER.fullmatch(value):
        return float(value)
    try:
        return (_aware(parsedate_to_datetime(value)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None


def _resets(said: Mapping[str, str], now: datetime) -> Iterator[float]:
    """The waits of what is used up; of everything, where nothing is said to be."""
    found: dict[str, float] = {}
    for name, value in said.items():
        what = _what(name)
        wait = None if what is None else _wait(value, now)
        if what is not None and wait is not None:
            found[what] = wait
    used_up = [what for what in found if _remaining(said, what) == "0"]
    return (found[what] for what in used_up or found)


def _what(name: str) -> str | None:
    """What a header says the reset of, such as `requests`; "" for all; None when it is about something else."""
    if name == "x-ratelimit-reset":
        return ""
    if name.startswith("x-ratelimit-reset-"):
        return name.removeprefix("x-ratelimit-reset-")
    if name.startswith("anthropic-ratelimit-") and name.endswith("-reset"):
        return name.removeprefix("anthropic-ratelimit-").removesuffix("-reset")
    return None


def _remaining(said: Mapping[str, str], what: str) -> str:
    names = (f"anthropic-ratelimit-{what}-remaining", f"x-ratelimit-remaining-{what}".rstrip("-"))
    return next((said[name] for name in names if name in said), "")


def _wait(value: str, now: datetime) -> float | None:
    if _NUMBER.fullmatch(value):
        return _seconds(float(value), now)
    parts = _PART.findall(value)
    if parts and "".join(f"{number}{unit}" for number, unit in parts) == value:
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        return (_aware(datetime.fromisoformat(value)) - now).total_seconds()
    except (ValueError, OverflowError):
        return None


def _seconds(number: float, now: datetime) -> float:
    """A plain number is a wait, or a time since 1970 where it is too large for one."""
    if number > 1e11:
        number /= 1000
    return number - (now - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1) if number > 1e9 else number


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)
