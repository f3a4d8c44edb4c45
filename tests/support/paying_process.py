"""A process that pays for calls, for tests that kill it: `paying_process.py URL RUN AGENT SERVICE`.

Each call is reserved, made over HTTP, written down, and settled; a process that starts settles what it finds written down.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.request
from pathlib import Path

from callboard.agents.brains.budget import CallEstimate, Reservation, Usage
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.run_budget import RunBudget
from callboard.bus.bus import Bus
from callboard.bus.errors import BudgetSpent

CALL = CallEstimate("T-1", "m", input_tokens=100, max_output_tokens=100)


async def pay(url: str, run: str, agent: str, service: str, log: Path) -> None:
    budget = RunBudget(await Bus.connect(url, run), agent, Prices(), patience_s=0)
    for id, output in recorded(log):
        await budget.settle(Reservation(id), Usage(CALL.input_tokens, output))
    while True:
        try:
            held = await budget.reserve(CALL)
        except BudgetSpent:
            return
        paid = await asyncio.to_thread(ask, service)
        record(log, f"{held.id} {paid}\n")
        await budget.settle(held, Usage(CALL.input_tokens, paid))


def ask(service: str) -> int:
    """One paid call; how many tokens came back."""
    with urllib.request.urlopen(service, timeout=300) as reply:
        return int(json.load(reply)["output_tokens"])


def recorded(log: Path) -> list[tuple[str, int]]:
    """Reservations of calls that were answered, with what came back."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(id, int(output)) for id, _, output in (line.partition(" ") for line in lines)]


def record(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    url, run, agent, service, log = sys.argv[1:]
    asyncio.run(pay(url, run, agent, service, Path(log)))
