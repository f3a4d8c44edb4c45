"""What a deployment's page plots, read from the facts of its way; pure.

The facts are sentences that agents/deployment writes (rates.py, latency.py, reading.py, traffic.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from callboard.launch.deployment_rows import DeploymentRow, EdgeRow
from callboard.web.dashboard.plots import Share

_SHARE = re.compile(r"^Green has (\d{1,3}) % of the traffic$")
_ERRORS = re.compile(
    r"^(?P<name>[^:]{1,80}): (?P<bad>\d+) of (?P<all>\d+) requests failed(?:, (?P<blue_bad>\d+) of (?P<blue>\d+) of Blue's)?"
    r"(?:[;,] (?:at most|more than) (?P<limit>[\d.]+)%)?"
)
_LATENCY = re.compile(
    r"^(?P<name>[^:]{1,80}): Green's p95 is (?P<seen>[\d.]+) times Blue's \((?P<low>[\d.]+) to (?P<high>[\d.]+)\)"
)
_PROBES = re.compile(r"^(?P<name>[^:]{1,80}): (?P<good>\d+) of (?P<all>\d+) probes were good")
_VALUE = re.compile(
    r"^(?P<name>[^:]{1,80}): (?P<value>-?\d[\d.]*(?:e[+-]?\d+)?)(?: is (?:more|less) than (?P<limit>-?\d[\d.]*(?:e[+-]?\d+)?))?(?: \(|$)"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One number that an analysis judged by."""

    step: str
    """shift or bake."""
    at: datetime | None
    outcome: str
    metric: str
    unit: str
    """What green, blue and limit count: `% failed`, `x Blue's p95`, `% good`, or "" for a value of its own kind."""
    green: float
    blue: float | None
    limit: float | None
    said: str


def shares(row: DeploymentRow) -> tuple[Share, ...]:
    """What Green got of the traffic, from its first request on: a share counts from the edge before the one that tells it."""
    if not row.history or row.history[0].at is None:
        return ()
    found, before = [Share(row.history[0].at, 0)], row.history[0].at
    for edge in row.history:
        step, _, outcome = edge.event.partition(": ")
        told = next((int(match[1]) for fact in edge.facts if (match := _SHARE.match(fact))), None)
        if told is not None:
            found.append(Share(before, told))
        if edge.at is not None and (step == "roll_back" or (step in ("shift", "bake") and outcome != "passed")):
            found.append(Share(edge.at, 0))
        before = edge.at or before
    return tuple(share for n, share in enumerate(found) if not n or share.percent != found[n - 1].percent)


def measured(row: DeploymentRow) -> tuple[Measured, ...]:
    """Every number of every watch, in order, each once."""
    return tuple(dict.fromkeys(one for edge in row.history for one in _of(edge)))


def _of(edge: EdgeRow) -> Iterator[Measured]:
    step, _, outcome = edge.event.partition(": ")
    if step not in ("shift", "bake"):
        return
    for fact in edge.facts:
        numbers = _numbers(fact)
        if numbers is not None:
            name, unit, green, blue, limit = numbers
            yield Measured(step, edge.at, outcome, name, unit, green, blue, limit, fact.partition(": ")[2])


def _numbers(fact: str) -> tuple[str, str, float, float | None, float | None] | None:
    """Metric, unit, Green's, Blue's and the limit; None = it says no number."""
    if match := _ERRORS.match(fact):
        blue = _rate(match["blue_bad"], match["blue"]) if match["blue"] else None
        return match["name"], "% failed", _rate(match["bad"], match["all"]), blue, _number(match["limit"])
    if match := _LATENCY.match(fact):
        return match["name"], "x Blue's p95", float(match["seen"]), 1.0, None
    if match := _PROBES.match(fact):
        return match["name"], "% good", _rate(match["good"], match["all"]), None, None
    if match := _VALUE.match(fact):
        return match["name"], "", float(match["value"]), None, _number(match["limit"])
    return None


def _rate(part: str, whole: str) -> float:
    return round(100 * int(part) / int(whole), 2) if int(whole) else 0.0


def _number(text: str | None) -> float | None:
    return float(text) if text else None


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric over a deployment's watches."""

    metric: str
    unit: str
    rows: tuple[tuple[Measured, float, float | None, float | None], ...]
    """Each with the parts of 100 that Green's, Blue's and the limit are of the largest of them."""


def measures(numbers: Sequence[Measured]) -> tuple[Measure, ...]:
    """By metric, in the order in which each came first."""
    kinds = dict.fromkeys((one.metric, one.unit) for one in numbers)
    return tuple(_measure(kind, [one for one in numbers if (one.metric, one.unit) == kind]) for kind in kinds)


def _measure(kind: tuple[str, str], numbers: Sequence[Measured]) -> Measure:
    every = [abs(value) for one in numbers for value in (one.green, one.blue, one.limit) if value is not None]
    most = 100.0 if kind[1] == "% good" else max(every, default=0.0) or 1.0

    def part(value: float | None) -> float | None:
        return None if value is None else round(min(100.0, 100 * abs(value) / most), 1)

    return Measure(*kind, tuple((one, part(one.green) or 0.0, part(one.blue), part(one.limit)) for one in numbers))
