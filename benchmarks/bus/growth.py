"""What more idle agents, a longer backlog and more held messages cost."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.bus.child import in_turn
from benchmarks.bus.figures import Series, ratios

AGENTS = (10, 100, 1_000)
SPREAD = 10_000
SHORT_SPREAD = 1_000
BACKLOGS = (0, 1_000, 10_000, 100_000, 1_000_000)
SHORT_BACKLOGS = (0, 1_000, 10_000)
PENDING = (0, 100_000)
MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Growth:
    """By how many there were."""

    idle: dict[int, dict[str, Series]]
    """In one process."""
    spread: dict[int, dict[str, Series]]
    """Idle agents over ten processes."""
    backlog: dict[int, dict[str, Series]]
    pending: dict[int, dict[str, Series]]

    @property
    def idle_ratio(self) -> Series:
        """The time until a handler begins, p99, with most agents in one process against fewest."""
        return ratios(self.idle[max(self.idle)]["p99"], self.idle[min(self.idle)]["p99"])

    @property
    def spread_ratio(self) -> Series:
        """The same with most agents over ten processes."""
        return ratios(self.spread[max(self.spread)]["p99"], self.idle[min(self.idle)]["p99"])

    @property
    def backlog_ratio(self) -> float:
        """The longest backlog against none: of send and read whichever grew more."""
        full, empty = self.backlog[max(self.backlog)], self.backlog[0]
        return max(ratios(full[name], empty[name]).median for name in ("send", "read"))


def measure(url: str, rounds: int, is_quick: bool) -> Growth:
    rounds = min(rounds, MOST_ROUNDS)
    backlogs = SHORT_BACKLOGS if is_quick else BACKLOGS
    return Growth(
        idle=_grown(url, rounds, "grow_idle", AGENTS),
        spread=_grown(url, rounds, "grow_spread", (SHORT_SPREAD if is_quick else SPREAD,)),
        backlog=_grown(url, rounds, "grow_backlog", backlogs),
        pending=_grown(url, rounds, "grow_pending", PENDING),
    )


def _grown(url: str, rounds: int, name: str, sizes: tuple[int, ...]) -> dict[int, dict[str, Series]]:
    return dict(zip(sizes, in_turn(url, rounds, [(name, size) for size in sizes]), strict=True))
