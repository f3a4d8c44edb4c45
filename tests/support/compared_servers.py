"""Two slow servers, the second slower by a factor, compared as a watch compares Blue and Green: pairs until it is known
which holds, or MOST of them were asked. A process of its own for each comparison: several in one would wait for its
interpreter, and take that for the servers' time.

python compared_servers.py FACTOR SEED        prints {"outcome", "reason", "pairs", "blue_p95_s"}
"""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from slow_service import SPREAD

from callboard.agents.deployment.analysis import analyse
from callboard.agents.deployment.pairs import ask_pairs
from callboard.agents.deployment.plan import AnalysisPlan, Metric
from callboard.agents.deployment.quantiles import p95
from callboard.agents.deployment.samples import Sample

MEDIAN_MS = 40
NOMINAL_P95_S = MEDIAN_MS / 1000 * math.exp(1.645 * SPREAD)
ROUND = 2_020
"""Pairs between two looks: somewhat more than the first look takes, as those at both ends may be of one alone."""
MOST = 8 * ROUND
PLAN = AnalysisPlan((Metric("latency", "latency"),), interval_s=60.0)


@contextmanager
def slow(factor: float, seed: int) -> Iterator[str]:
    """The address of a server that is so much slower."""
    script = Path(__file__).with_name("slow_service.py")
    argv = [sys.executable, "-I", "-S", str(script), str(MEDIAN_MS), str(factor), str(seed)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


async def compared(factor: float, seed: int) -> dict[str, object]:
    samples: list[Sample] = []
    with slow(1.0, seed) as blue, slow(factor, seed + 1) as green:
        for begun in range(0, MOST, ROUND):
            samples += await ask_pairs(
                ("r-1", blue), ("r-2", green), "/", ROUND, within_s=0.0, clock=time.time, seed=seed + begun
            )
            found = analyse(PLAN, "r-1", "r-2", samples, time.time())
            if found.outcome != "inconclusive":
                break
    assert all(one.ok for one in samples)
    blue_s = p95([one.seconds for one in samples if one.release == "r-1"])
    return {
        "outcome": found.outcome,
        "reason": found.reasons[0],
        "pairs": len(samples) // 2,
        "blue_p95_s": blue_s,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(compared(float(sys.argv[1]), int(sys.argv[2])))))
