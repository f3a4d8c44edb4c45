"""A target in memory: releases are entries, and every call is written down in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callboard.agents.deployment.samples import Sample
from callboard.agents.deployment.target import Abilities, Health, Release
from callboard.bus.errors import DeployFailed


@dataclass
class MemoryTarget:
    """Args:
    printed: A file with what every release printed.
    """

    printed: Path
    commits: dict[str, str] = field(default_factory=dict)
    """Release -> commit of what runs."""
    weights: dict[str, int] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    sick: set[str] = field(default_factory=set)
    wrong: tuple[str, ...] = ()
    fails_up: str = ""
    abilities: Abilities = field(default_factory=lambda: Abilities(weights=True, drain=True, statistics=True))

    def problems(self) -> tuple[str, ...]:
        return self.wrong

    def up(self, release: str, commit: str) -> Release:
        self.calls.append(f"up {release}")
        if self.fails_up:
            raise DeployFailed(self.fails_up)
        self.commits[release] = commit
        return next(one for one in self.running() if one.id == release)

    def running(self) -> tuple[Release, ...]:
        return tuple(
            Release(name, commit, "a", f"http://{name}:80", self.weights.get(name, 0), True)
            for name, commit in self.commits.items()
        )

    def healthy(self, release: str) -> Health:
        ok = release in self.commits and release not in self.sick
        return Health(ok, 200 if ok else 503, 0.01, "ok" if ok else "not well")

    def shift(self, weights: Mapping[str, int]) -> None:
        self.calls.append(f"shift {dict(weights)}")
        self.weights = dict(weights)

    def drain(self, release: str, timeout_s: float) -> bool:
        self.calls.append(f"drain {release}")
        return True

    def down(self, release: str) -> None:
        self.calls.append(f"down {release}")
        self.commits.pop(release, None)

    def requests(self, since: float) -> Sequence[Sample]:
        return ()

    def output(self, release: str) -> Path:
        return self.printed
