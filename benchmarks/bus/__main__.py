"""`make bench`: the bus against others and against a bare loop, in turn; figures go to benchmarks/results/bus.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path

from benchmarks.bus import throughput
from loguru import logger

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "bus.json"


def main() -> int:
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument(
        "--quick", action="store_true", help="two short rounds; shows that it runs, not how fast it is"
    )
    given = options.parse_args()
    rounds, scale = (2, 0.2) if given.quick else (given.rounds, 1.0)
    logger.remove()
    found = {"rounds": rounds, "machine": machine(), **handled(rounds, scale)}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(f"\nwritten to {RESULTS.relative_to(ROOT)}")
    return 0


def handled(rounds: int, scale: float) -> dict[str, object]:
    """Messages a second."""
    found = throughput.measure(rounds, scale)
    print(f"handled messages/s, one process, AOF everysec, {rounds} rounds in turn: median (least - most)")
    for name, series in {"ours": found.ours, "bare loop": found.bare, **found.peers}.items():
        print(f"  {name:<12} {series.shown()}")
    print(f"  ours / {found.fastest:<12} {found.versus_peer.shown('x', 2)}")
    print(f"  ours / bare loop    {found.versus_bare.shown('x', 2)}")
    return {
        "throughput_msgs_per_s": round(found.ours.median),
        "throughput_vs_fastest_peer": round(found.versus_peer.median, 2),
        "throughput_vs_bare_loop": round(found.versus_bare.median, 2),
        "bare_loop_msgs_per_s": round(found.bare.median),
        "peers": {name: round(series.median) for name, series in found.peers.items()},
    }


def machine() -> str:
    """What it ran on, as far as it matters."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = names[0] if names else platform.machine()
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


if __name__ == "__main__":
    sys.exit(main())
