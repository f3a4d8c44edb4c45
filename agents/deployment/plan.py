"""What an analysis looks at, and what it may find."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["pass", "fail", "inconclusive"]
Kind = Literal["health", "error-rate", "latency", "saturation", "log", "command", "prometheus"]
FROM_SAMPLES: tuple[Kind, ...] = ("health", "error-rate", "latency")
"""What needs no reading of its own."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing to look at. Of kinds that are read, the value must lie between `least` and `most`."""

    name: str
    kind: Kind
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class AnalysisPlan:
    """Every number that an analysis goes by; durations in seconds."""

    metrics: tuple[Metric, ...]
    """() = nothing is measured, which never passes."""
    interval_s: float = 1.0
    """Between two probes; a probe that takes longer has failed."""
    hold_s: float = 120.0
    """How long an analysis that is inconclusive at its end goes on; then it is rolled back."""
    bad_probes: int = 2
    """So many failed probes in a row are a failure."""
    min_samples: int = 20
    """Fewer say nothing about a rate of errors; a tenth of it, at least 3, about health."""
    max_error_rate: float = 0.01
    users_only: bool = False
    """Errors and latency are judged by users' requests alone; without users nothing passes then."""
    latency_samples: int = 2_000
    """Of each colour; fewer say nothing about a p95."""
    max_p95_ratio: float = 1.15
    """Green's p95 over Blue's: the whole interval must lie below it to pass."""
    fails_above: float = 1.05
    """The whole interval must lie above it to fail."""
    pairs_per_s: float = 0.0
    """How many times a second the watch itself asks Blue and Green in turn; 0 = never."""
    path: str = "/"
    """What it asks for then."""

    @property
    def fresh_s(self) -> float:
        """What is older says nothing about now."""
        return 5 * self.interval_s

    @property
    def min_probes(self) -> int:
        return max(3, self.min_samples // 10)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one metric says."""

    outcome: Outcome
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Analysis:
    """What all metrics say together: fail if one fails, pass if all pass."""

    outcome: Outcome
    reasons: tuple[str, ...]
    """One for each metric, as `name: sentence`; those that decided first."""
    numbers: Mapping[str, float]
    """`metric.number` -> value; only finite ones."""
