"""Contenders run one after the other, each in a fresh process on the emptied server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import cast

from benchmarks.bus.figures import Series
from benchmarks.bus.server import flush

LIMIT_S = 300
Figures = dict[str, float]


def run_one(name: str, url: str, count: int) -> Figures:
    """What one contender measured."""
    flush(url)
    argv = [sys.executable, "-W", "ignore", "-m", "benchmarks.bus.one", name, url, str(count)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    return cast(Figures, json.loads(done.stdout.splitlines()[-1]))


def in_turn(url: str, rounds: int, contenders: Iterable[tuple[str, int]]) -> list[dict[str, Series]]:
    """All of them in turn, round by round; for each its figures, one value a round.

    Args:
        contenders: Module name and count.
    """
    contenders = list(contenders)
    found: list[list[Figures]] = [[] for _ in contenders]
    for _ in range(rounds):
        for place, (name, count) in enumerate(contenders):
            found[place].append(run_one(name, url, count))
    return [{name: Series(tuple(each[name] for each in one)) for name in one[0]} for one in found]
