"""A target in memory whose releases do what a script says, on a clock that only sleeping moves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.target import Abilities, Health, Release

BLUE, GREEN = "r-1", "r-2"


@dataclass
class Time:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class WatchedTarget:
    """Green and Blue, both running; `asked` is called with the release and the count of its probes so far."""

    time: Time
    healthy_at: Callable[[str, int], bool] = lambda release, n: True
    users: Callable[[float, float], Sequence[Sample]] = lambda begin, end: ()
    """What users met in a span of time."""
    probes: dict[str, int] = field(default_factory=lambda: {BLUE: 0, GREEN: 0})
    shifts: list[Mapping[str, int]] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)
    abilities: Abilities = field(default_factory=lambda: Abilities(weights=True, drain=True, statistics=True))

    def problems(self) -> tuple[str, ...]:
        return ()

    def up(self, release: str, commit: str) -> Release:
        return next(one for one in self.running() if one.id == release)

    def running(self) -> tuple[Release, ...]:
        return (
            Release(BLUE, "b" * 40, "a", self.addresses.get(BLUE, ""), 95, True),
            Release(GREEN, "c" * 40, "b", self.addresses.get(GREEN, ""), 5, True),
        )

    def healthy(self, release: str) -> Health:
        self.probes[release] += 1
        ok = self.healthy_at(release, self.probes[release])
        return Health(ok, 200 if ok else 503, 0.01, "")

    def shift(self, weights: Mapping[str, int]) -> None:
        self.shifts.append(dict(weights))

    def drain(self, release: str, timeout_s: float) -> bool:
        return True

    def down(self, release: str) -> None: ...

    def requests(self, since: float) -> Sequence[Sample]:
        return self.users(since, self.time.now)

    def output(self, release: str) -> Path:
        return Path("/dev/null")
