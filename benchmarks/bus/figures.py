"""Figures that were taken several times, and their ratios."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Series:
    """One figure, once a round."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def shown(self, unit: str = "", digits: int = 0) -> str:
        """The median, and how far the rounds lie apart: `18,200 msgs/s (17,000 - 19,500)`."""
        low, middle, high = (f"{each:,.{digits}f}" for each in (min(self.values), self.median, max(self.values)))
        return f"{middle}{unit and ' ' + unit} ({low} - {high})"


def ratios(ours: Series, other: Series) -> Series:
    """Round by round, so that a slower moment of the machine slows down both."""
    return Series(tuple(mine / yours for mine, yours in zip(ours.values, other.values, strict=True)))


def percentile(values: list[float], percent: float) -> float:
    """Nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(percent / 100 * (len(ordered) - 1)))]
