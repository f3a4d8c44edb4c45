"""`make bench`: the bus against others and against a bare loop, in turn; the figures go to benchmarks/results/bus.json and,
but for a quick run, into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bus import growth, lifecycle, report, throughput
from benchmarks.bus.figures import ratios
from benchmarks.bus.growth import Growth
from benchmarks.bus.lifecycle import Lifecycle
from benchmarks.bus.server import running_server
from benchmarks.bus.throughput import Throughput

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "bus.json"


def main() -> int:
    options = argparse.ArgumentParser(prog="make bench", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument(
        "--quick", action="store_true", help="two short rounds; shows that it runs, not how fast it is"
    )
    given = options.parse_args()
    rounds, scale = (2, 0.1) if given.quick else (given.rounds, 1.0)
    with running_server() as url:
        handled = throughput.measure(url, rounds, scale)
        _show(report.handled(handled))
        lived = lifecycle.measure(url, rounds, scale)
        _show(report.lived(lived))
        grown = growth.measure(url, rounds, given.quick)
        _show(report.grown(grown))
    found = {"rounds": rounds, "machine": machine(), **_figures(handled, lived, grown)}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    print(f"written to {RESULTS.relative_to(ROOT)}")
    if not given.quick:
        said = f"{datetime.now(UTC):%Y-%m-%d}, {machine()}; AOF everysec; {rounds} rounds in turn: median (least - most).\n"
        tables = (said, report.handled(handled), report.lived(lived), report.grown(grown))
        report.write(ROOT / "docs", "\n\n".join(tables), report.picture(grown))
        print("written to docs/benchmarks.md")
    return 0


def _show(text: str) -> None:
    print(text + "\n", flush=True)


def _figures(handled: Throughput, lived: Lifecycle, grown: Growth) -> dict[str, object]:
    versus = lived.versus_bare
    return {
        "throughput_msgs_per_s": round(handled.ours.median),
        "throughput_vs_fastest_peer": round(handled.versus_peer.median, 2),
        "throughput_vs_bare_loop": round(ratios(handled.ours, handled.bare).median, 2),
        "throughput_vs_thin_loop": round(ratios(handled.ours, handled.thin).median, 2),
        "lifecycle_p50_ms": round(lived.ours["p50"].median, 2),
        "lifecycle_vs_bare_loop": round(versus["p50"].median, 2),
        "lifecycle_p99_vs_bare_loop": round(versus["p99"].median, 2),
        "lifecycle_round_trips": round(lived.ours["trips"].median, 1),
        "lifecycle_apart_p50_ms": round(lived.apart["p50"].median, 2),
        "lifecycle_apart_round_trips": round(lived.apart["trips"].median, 1),
        "idle_1k_p99_vs_10": round(grown.idle_ratio.median, 2),
        "idle_1k_redis_mb": round(grown.idle[1_000]["mb"].median, 1),
        "idle_10k_p99_vs_10": round(grown.spread_ratio.median, 2) if growth.SPREAD in grown.spread else None,
        "idle_10k_redis_mb": round(grown.spread[growth.SPREAD]["mb"].median, 1)
        if growth.SPREAD in grown.spread
        else None,
        "backlog_1m_vs_empty": round(grown.backlog_ratio, 2) if 1_000_000 in grown.backlog else None,
        "peers": {name: round(series.median) for name, series in handled.peers.items()},
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
