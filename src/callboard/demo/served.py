"""What the demo's service has served: as its visitors met it, and as the switch in front of it counted."""

from __future__ import annotations

from dataclasses import dataclass, field

from callboard.agents.deployment.target import Target
from callboard.demo.visitors import Visits


@dataclass(frozen=True, slots=True)
class Failures:
    """Requests that one release answered with 500 or more, or not at all."""

    count: int
    requests: int
    """All that it got."""
    seconds: float
    """From the first of them to the last."""


@dataclass(frozen=True, slots=True)
class Served:
    visits: Visits = field(default_factory=Visits)
    failures: dict[str, Failures] = field(default_factory=dict)
    """By release; who failed none is not in it."""
    why_not: str = ""
    """Why nothing could be deployed here, and the way out."""


def read_served(visits: Visits, target: Target, why_not: str) -> Served:
    """Ask the switch while it runs.

    Raises:
        DeployFailed: It does not answer.
    """
    if why_not:
        return Served(why_not=why_not)
    of: dict[str, list[tuple[float, bool]]] = {}
    for sample in target.requests(0.0):
        of.setdefault(sample.release, []).append((sample.at, sample.ok))
    return Served(visits, {name: found for name, seen in of.items() if (found := _failures(seen)).count})


def _failures(seen: list[tuple[float, bool]]) -> Failures:
    bad = [at for at, ok in seen if not ok]
    return Failures(len(bad), len(seen), max(bad) - min(bad) if bad else 0.0)


def stop_all(target: Target) -> None:
    """Stop everything that was deployed, what has the traffic last; the switch ends with it."""
    for release in sorted(target.running(), key=lambda one: one.weight):
        target.down(release.id)
