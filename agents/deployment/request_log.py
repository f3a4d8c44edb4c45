"""What the proxy tells of each request, as samples; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.state import ReleaseRecord

_CLIENT_LEFT = "C"
"""The first of HAProxy's termination letters, when the client ended it before the answer did."""


@dataclass(frozen=True, slots=True)
class Line:
    """One request, as `log-format` in haproxy.py has it."""

    began: float
    ended: float
    seconds: float
    slot: str
    """`a`, `b`, or `<NOSRV>` when nobody was ready."""
    status: int
    ending: str
    redispatched: bool
    """It reached nobody where it was sent first."""


def read_line(text: str) -> Line | None:
    """None for what is no request, such as a word of the proxy about itself."""
    parts = text.split()
    if len(parts) != 8:
        return None
    try:
        stamp, milliseconds, total, active, status = (int(parts[n].lstrip("+")) for n in (0, 1, 2, 3, 5))
    except ValueError:
        return None
    began = stamp + milliseconds / 1000
    ended = began + max(total, 0) / 1000
    return Line(
        began, ended, max(active, 0) / 1000, parts[4], max(status, 0), parts[6], redispatched=parts[7].startswith("+")
    )


def samples(log: str, since: float, releases: Sequence[ReleaseRecord]) -> tuple[Sample, ...]:
    """The samples of requests that ended after `since`, oldest first.

    A request that its client gave up says nothing about who was to answer it. One that had to be sent on counts as a
    failure of the other slot too.

    Args:
        log: The proxy's lines, oldest first.
        releases: Who was in which slot, and since when.
    """
    found: list[Sample] = []
    for text in reversed(log.splitlines()):
        line = read_line(text)
        if line is None:
            continue
        if line.ended <= since - 60:
            # lines are in the order of endings, but for a moment; a minute is plenty
            break
        if line.ended > since:
            found += _samples(line, releases)
    return tuple(sorted(found, key=lambda one: one.at))


def _samples(line: Line, releases: Sequence[ReleaseRecord]) -> list[Sample]:
    if line.ending.startswith(_CLIENT_LEFT):
        return []
    slots = [(line.slot, line.status, line.seconds)]
    if line.redispatched:
        slots.append(("b" if line.slot == "a" else "a", 0, 0.0))
    found = []
    for slot, status, seconds in slots:
        in_it = [one for one in releases if one.slot == slot and one.since <= line.began]
        if in_it:
            last = max(in_it, key=lambda one: one.since)
            found.append(Sample(at=line.ended, release=last.id, ok=0 < status < 500, seconds=seconds, status=status))
    return found
