"""What runs in an environment now, and what share of the requests each release has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from callboard.agents.deployment.target import Release, Target, notices
from callboard.bus.errors import CallboardError


@dataclass(frozen=True, slots=True)
class Share:
    release: str
    commit: str
    percent: int
    """Of new requests."""
    runs: bool


@dataclass(frozen=True, slots=True)
class Standing:
    shares: tuple[Share, ...] = ()
    """Who has most first; () = nothing runs, or a notice says why that is not known."""
    notices: tuple[str, ...] = ()
    """What happened there while nobody looked, a sentence each."""


def standing_of(target: Target) -> Standing:
    """As the target says; what cannot be asked is a notice, never an error."""
    try:
        return Standing(_shares(target.running()), notices(target))
    except CallboardError as error:
        return Standing((), (f"what runs there is not known: {error}",))


def _shares(releases: Iterable[Release]) -> tuple[Share, ...]:
    made = (Share(one.id, one.commit, one.weight, one.alive) for one in releases)
    return tuple(sorted(made, key=lambda one: -one.percent))


def said(shares: Iterable[Share]) -> str:
    """For people: `r-1 has 75 % of the requests, r-2 25 %`; "" = nothing runs."""
    parts = [
        f"{one.release} {'has ' if n == 0 else ''}{one.percent} %"
        + (" of the requests" if n == 0 else "")
        + ("" if one.runs else ", and does not run")
        for n, one in enumerate(shares)
    ]
    return ", ".join(parts)
