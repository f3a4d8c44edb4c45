"""A task's lifecycle alone."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.bus.child import in_turn
from benchmarks.bus.figures import Series, ratios

TASKS = 300


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Milliseconds of one task, and round trips, round by round."""

    ours: dict[str, Series]
    apart: dict[str, Series]
    """Ours, with each agent in a process of its own."""
    bare: dict[str, Series]
    peers: dict[str, dict[str, Series]]

    @property
    def versus_bare(self) -> dict[str, Series]:
        """By percentile."""
        return {name: ratios(self.ours[name], self.bare[name]) for name in ("p50", "p99")}


def measure(url: str, rounds: int, scale: float) -> Lifecycle:
    tasks = round(TASKS * scale)
    names = ("life_ours", "life_apart", "life_bare", "life_autogen", "life_langgraph")
    counts = (tasks, tasks, tasks, tasks, max(10, tasks // 3))
    ours, apart, bare, autogen, langgraph = in_turn(url, rounds, zip(names, counts, strict=True))
    return Lifecycle(ours, apart, bare, {"autogen-core (in memory)": autogen, "LangGraph (sqlite)": langgraph})
