"""When an agent that died is started again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_S = 60.0
MOST_DEATHS = 5
"""Five deaths in a minute: it is down."""
FIRST_BACKOFF_S = 0.2
LONGEST_BACKOFF_S = 10.0


@dataclass(frozen=True, slots=True)
class Restart:
    after_s: float


@dataclass(frozen=True, slots=True)
class Down:
    deaths: int


def decide(deaths: Sequence[float], now: float) -> Restart | Down:
    """What to do after the last of `deaths` (seconds, oldest first)."""
    recent = [at for at in deaths if now - at < WINDOW_S]
    if len(recent) >= MOST_DEATHS:
        return Down(len(recent))
    return Restart(min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** max(0, len(recent) - 1)))
