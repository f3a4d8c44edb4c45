"""The lifecycle on the bare loop: the same ten messages and board changes as dicts."""

from __future__ import annotations

import asyncio
import json

from benchmarks.bus.bare_loop import BareLoop, Message, Taken, new
from benchmarks.bus.job import Report
from benchmarks.bus.server import round_trips
from benchmarks.bus.stages import FILES, HEAD, NAMES, NOTES, REVIEWERS, timed

SPEC = {
    "key": "driver/parser",
    "title": "Nested lists",
    "what": "Read nested lists",
    "agent": "driver",
    "paths": ["src/**"],
}


class Agents:
    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._votes: dict[str, int] = {}

    def handle(self, taken: Taken) -> bool:
        """Fill in what follows; True at the end of a task."""
        message = taken.message
        cause, body = str(message["id"]), message["body"]
        assert isinstance(body, dict)
        task = str(body["task"])
        match message["kind"]:
            case "assigned":
                evidence = new("manager", "evidence", cause, 1, task=task, head=HEAD, files=FILES, notes=NOTES)
                taken.sends = (new("manager", "accepted", cause, 0, task=task), evidence)
            case "accepted":
                self._change(taken, task, "working")
            case "evidence":
                asked = {"task": task, "spec": SPEC, "base": HEAD, "commit": HEAD, "notes": NOTES}
                self._change(taken, task, "review")
                taken.sends = [new(name, "review", cause, n, **asked) for n, name in enumerate(REVIEWERS)]
            case "review":
                taken.sends = (new("manager", "verdict", cause, task=task, commit=HEAD, vote="approved"),)
            case "verdict":
                self._votes[task] = votes = self._votes.get(task, 0) + 1
                self._change(taken, task, "approved")
                if votes == len(REVIEWERS):
                    taken.sends = (new("driver", "merged", cause, task=task, commit=HEAD, tree=HEAD),)
            case _:
                return True
        return False

    def _change(self, taken: Taken, task: str, doing: str) -> None:
        version = self._versions.get(task, 0)
        self._versions[task] = version + 1
        doc = json.dumps({"version": version + 1, "doing": doing}, separators=(",", ":"))
        taken.change = (f"agent:{task}", version, doc)


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    loop, agents = BareLoop(url, "bare", NAMES), Agents()
    await loop.begin()

    async def one(n: int) -> None:
        first: Message = new("driver", "assigned", task=f"T-{n}", spec=SPEC, base=HEAD, start=HEAD)
        await loop.put([first])
        is_merged = False
        while not is_merged:
            batch = await loop.read(100)
            is_merged = True in [agents.handle(taken) for taken in batch]
            await loop.commit(batch)

    await timed(one, count, report, lambda: round_trips(url))
