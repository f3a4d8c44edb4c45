"""Handled messages a second: every contender in turn, each time in a fresh process on the emptied server."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from benchmarks.bus.figures import Series, ratios
from benchmarks.bus.server import flush, running_server

LIMIT_S = 300
OURS, BARE = "ours", "bare"
PEERS = {"taskiq": "with_taskiq", "faststream": "with_faststream", "celery": "with_celery"}
COUNTS = {OURS: 20_000, BARE: 40_000, "with_taskiq": 6_000, "with_faststream": 8_000, "with_celery": 2_000}
"""Messages: some seconds' work of each, so that what a start costs does not count."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Messages a second, round by round."""

    ours: Series
    bare: Series
    peers: dict[str, Series]

    @property
    def fastest(self) -> str:
        return max(self.peers, key=lambda name: self.peers[name].median)

    @property
    def versus_peer(self) -> Series:
        """Ours against the peer that was fastest over all rounds."""
        return ratios(self.ours, self.peers[self.fastest])

    @property
    def versus_bare(self) -> Series:
        return ratios(self.ours, self.bare)


def rate(name: str, url: str, scale: float) -> float:
    """One contender's rate in one round."""
    flush(url)
    argv = [sys.executable, "-W", "ignore", "-m", "benchmarks.bus.one", name, url, str(round(COUNTS[name] * scale))]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    return float(done.stdout.split()[-1])


def measure(rounds: int, scale: float) -> Throughput:
    found: dict[str, list[float]] = {name: [] for name in COUNTS}
    with running_server() as url:
        for _ in range(rounds):
            for name, rates in found.items():
                rates.append(rate(name, url, scale))
    series = {name: Series(tuple(rates)) for name, rates in found.items()}
    return Throughput(series[OURS], series[BARE], {name: series[module] for name, module in PEERS.items()})
