"""When an agent CLI's provider takes more, read from what the CLI prints of its limit; hostile until parsed. Pure.

| said by | how |
|---|---|
| Claude Code | `... usage limit reached|1762952400`; `... limit reached · resets 3pm (Europe/Berlin)`, `... resets Oct 9, 6am`; `resetsAt` of a `rate_limit_event` |
| Codex | `... try again in 2 days 17 hours 14 minutes`; `... try again at 3:45 PM`, `... at Aug 20th, 2026 7:38 AM`; `"resets_at":1777936568`, `"resets_in_seconds":13872` |
| OpenAI and servers like it | `... Please try again in 11.054s`, `6m0s` |
| Google, Alibaba | `quota will reset after 161h39m41s`, `"retryDelay": "26s"`, `retry in 34.07s`, `Retry-After: 20` |

A time of day without a zone is the clock's of this machine, which the CLI ran on.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

LONGEST = timedelta(days=31)
"""More than any provider's window; what says more is nonsense."""
JUST = timedelta(minutes=15)
"""A time of day that passed less than this ago is meant as passed, by another clock, not as tomorrow's."""
READ = 4_000
"""Characters of what was said that are looked at."""

_EPOCH = re.compile(r"(?:reached\||resets?_?at\"?[\s:=]{1,4})(\d{10}(?:\d{3})?)(?!\d)", re.IGNORECASE)
_AFTER = re.compile(
    r"(?:again|resets?|retry|available)(?:[\s_-]?(?:in|after|delay))(?:[\s_]?seconds)?[\"':=\s]{1,4}"
    r"((?:about |less than )?[\d.]{1,12}[^\n\"',;)]{0,60})",
    re.IGNORECASE,
)
_PART = re.compile(
    r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s?(milliseconds?|ms|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)(?![a-z])",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_UNITS = {"milliseconds": 0.001, "ms": 0.001, "d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_AT = re.compile(
    r"(?:resets?|again)(?:\s+at)?\s+"
    r"(?:(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+"
    r"(?:(?P<year>20\d\d),?\s+)?(?:at\s+)?)?"
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?\s?(?P<half>[ap]\.?m\b)?(?:\s?\((?P<zone>[A-Za-z_+/0-9-]{1,40})\)|\s?(?P<utc>UTC|GMT)\b)?",
    re.IGNORECASE,
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def reset_in(text: str, now: datetime) -> datetime | None:
    """When the limit ends that a text tells of; None when it does not say, or says nonsense.

    Args:
        now: With the zone that a time of day is meant in.
    """
    head = text[:READ]
    found = _epoch(head) or _after(head, now) or _at(head, now)
    return found.astimezone(UTC) if found is not None and now <= found <= now + LONGEST else None


def _epoch(text: str) -> datetime | None:
    said = _EPOCH.search(text)
    return None if said is None else datetime.fromtimestamp(int(said[1][:10]), UTC)


def _after(text: str, now: datetime) -> datetime | None:
    said = _AFTER.search(text)
    if said is None:
        return None
    parts = _PART.findall(said[1])
    plain = _NUMBER.match(said[1])
    if parts:
        seconds = sum(float(number) * _unit(unit.lower()) for number, unit in parts)
    elif plain:
        seconds = float(plain[0])
    else:
        return None
    return now + timedelta(seconds=min(seconds, 2 * LONGEST.total_seconds()))


def _unit(name: str) -> float:
    return _UNITS.get(name) or _UNITS["ms" if name.startswith("mil") else name[0]]


def _at(text: str, now: datetime) -> datetime | None:
    """A time of day, on a day or the next time that it is that late."""
    said = _AT.search(text)
    if said is None or not (said["half"] or said["minute"]):
        return None
    try:
        there = now.astimezone(_zone(said))
        time = there.replace(hour=_hour(said), minute=int(said["minute"] or 0), second=0, microsecond=0)
        if said["month"] is None:
            return time if time > there - JUST else time + timedelta(days=1)
        day = time.replace(month=_MONTHS.index(said["month"].lower()) + 1, day=int(said["day"]))
        if said["year"]:
            return day.replace(year=int(said["year"]))
        return day if day > there - timedelta(days=1) else day.replace(year=day.year + 1)
    except (ValueError, KeyError, OSError):
        return None


def _hour(said: re.Match[str]) -> int:
    hour, half = int(said["hour"]), (said["half"] or "").lower()
    if half and not 1 <= hour <= 12:
        raise ValueError("no such hour")
    return hour % 12 + 12 * half.startswith("p") if half else hour


def _zone(said: re.Match[str]) -> tzinfo | None:
    """None = the machine's own. Raises KeyError, ValueError or OSError for one that nobody knows."""
    return UTC if said["utc"] else ZoneInfo(said["zone"]) if said["zone"] else None
