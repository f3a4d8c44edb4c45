"""Run schedules, or one of them step by step."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from loguru import logger

from simulation.many import outcomes, undisturbed
from simulation.roster import drawn_tasks
from simulation.schedule import Schedule

SAID_EVERY = 1_000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "simulation", description="The roster's decisions under a scheduler that disturbs them."
    )
    parser.add_argument("seed", type=int, nargs="?", help="print this one schedule, step by step")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed of many")
    parser.add_argument("--schedules", type=int, default=1_000, help="how many")
    options = parser.parse_args(arguments)
    logger.remove()
    return (
        _one(options.seed)
        if options.seed is not None
        else _many(range(options.first, options.first + options.schedules))
    )


def _one(seed: int) -> int:
    tasks = drawn_tasks(seed)
    expected = undisturbed(tasks)
    schedule = Schedule(seed, tasks=tasks, tell=print)
    end = schedule.run()
    print(f"seed {seed}: {len(tasks)} tasks, {schedule.faults} faults")
    for name in ("run", "tasks", "files", "questions"):
        ours, calm = getattr(end, name), getattr(expected, name)
        print(f"{name}: {ours}" if ours == calm else f"{name} DIFFER\n  disturbed   {ours}\n  undisturbed {calm}")
    return int(end != expected)


def _many(seeds: range) -> int:
    began, faults, bad = time.monotonic(), 0, list[int]()
    results = outcomes(seeds)
    for done, outcome in enumerate(results, 1):
        faults += outcome.faults
        if outcome.wrong:
            bad.append(outcome.seed)
            print(f"seed {outcome.seed}: {outcome.wrong}\n  again: make simulate ARGS={outcome.seed}")
        if done % SAID_EVERY == 0:
            print(f"{done:,} of {len(seeds):,} schedules", file=sys.stderr, flush=True)
    took = time.monotonic() - began
    print(
        f"{len(seeds):,} schedules from seed {seeds.start}: {len(bad)} ended differently; {faults / len(seeds):.0f} faults each; "
        f"{took:.0f} s, {len(seeds) / took * 60:,.0f} a minute"
    )
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
