"""Handled messages a second."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.bus.child import in_turn
from benchmarks.bus.figures import Series, ratios

OURS, BARE, THIN = "ours", "bare", "thin"
PEERS = {"taskiq": "with_taskiq", "faststream": "with_faststream", "celery": "with_celery"}
COUNTS = {
    OURS: 20_000,
    BARE: 40_000,
    THIN: 60_000,
    "with_taskiq": 6_000,
    "with_faststream": 8_000,
    "with_celery": 2_000,
}
"""Messages: some seconds' work of each."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Messages a second, round by round."""

    ours: Series
    bare: Series
    thin: Series
    peers: dict[str, Series]

    @property
    def fastest(self) -> str:
        return max(self.peers, key=lambda name: self.peers[name].median)

    @property
    def versus_peer(self) -> Series:
        """Ours against the peer that was fastest over all rounds."""
        return ratios(self.ours, self.peers[self.fastest])


def measure(url: str, rounds: int, scale: float) -> Throughput:
    contenders = [(name, round(count * scale)) for name, count in COUNTS.items()]
    found = in_turn(url, rounds, contenders)
    rates = {name: figures["rate"] for name, figures in zip(COUNTS, found, strict=True)}
    return Throughput(rates[OURS], rates[BARE], rates[THIN], {name: rates[module] for name, module in PEERS.items()})
