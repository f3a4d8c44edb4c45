"""What one request met: of a probe, or of somebody who uses the service."""

from __future__ import annotations

from dataclasses import dataclass


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
