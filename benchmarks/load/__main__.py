"""`make load`: 100 clients of a run's events and 50 requests a second while the run works, and what that costs the run.

A roster whose agents are small programs writes so many files, each a task with a gate and three reviews. It is launched twice
each round, in a new repository, with `callboard serve` beside it: once under load, once with nobody asking, in turn. Everything is on
loopback. What counts is the ratio within a round. Exits 1 where a request failed, an event was missed or a task did not land.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.load.figures import figures
from benchmarks.load.working import Load, Worked, work


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=100)
    parser.add_argument("--per-second", type=float, default=50.0)
    parser.add_argument("--most", type=int, default=50_000, help="requests of a round")
    parser.add_argument("--minutes", type=float, default=10.0, help="the longest that one run may take")
    parser.add_argument("--tasks", type=int, default=10, help="of each of the two drivers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    load = Load(given.listeners, given.per_second, given.most)
    try:
        pairs = [_pair(number, given.tasks, given.minutes * 60, load) for number in range(given.rounds)]
    except RuntimeError as error:
        print(f"make load: {error}", file=sys.stderr)
        return 1
    found = figures(pairs, 2 * given.tasks)
    print(json.dumps(found, indent=2) if given.json else as_text(found))
    return 0 if found["is_well"] else 1


def _pair(number: int, tasks: int, longest_s: float, load: Load) -> tuple[Worked, Worked]:
    """Under load, and alone; which comes first changes with each round."""
    found: dict[bool, Worked] = {}
    for is_loaded in (True, False) if number % 2 == 0 else (False, True):
        with tempfile.TemporaryDirectory(prefix="cb-") as folder:
            found[is_loaded] = work(Path(folder), tasks, longest_s, load if is_loaded else None)
        how = "under load" if is_loaded else "alone"
        print(f"round {number + 1}, {how}: {found[is_loaded].seconds:.1f} s", file=sys.stderr, flush=True)
    return found[True], found[False]


def as_text(found: dict[str, object]) -> str:
    return "\n".join(f"{name.replace('_', ' ')}: {json.dumps(value)}" for name, value in found.items())


if __name__ == "__main__":
    sys.exit(main())
