"""What was seen of a release: requests that have ended, and values that were read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

By = Literal["user", "probe", "pair"]
"""Who asked: somebody who uses the service; the watch, whether it is well; the watch, Blue and Green in turn."""
Value = tuple[float, str]
"""What was read elsewhere: a number and what it is, or NaN and why there is none."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One request that has ended."""

    at: float
    """When it ended, in seconds since 1970."""
    release: str
    ok: bool
    """It was answered, and not with a status of 500 or more."""
    seconds: float
    """From its first byte to the end of the answer."""
    status: int
    """Of HTTP; 0 when there was no answer."""
    by: By = "user"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of a metric that is read elsewhere."""

    at: float
    """When the value was true, in seconds since 1970."""
    metric: str
    value: float
    """NaN: it could not be read."""
    said: str = ""
    """Why not, or what it is, for a person."""
