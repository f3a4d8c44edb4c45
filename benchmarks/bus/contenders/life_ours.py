"""The lifecycle on our bus: five agents in one host, every message typed, every hop committed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from datetime import UTC, datetime

from benchmarks.bus.job import Report
from benchmarks.bus.server import round_trips
from benchmarks.bus.stages import FILES, HEAD, NAMES, NOTES, REVIEWERS, timed

from callboard.agents.runtime import Runtime, Work
from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.messages import (
    Body,
    Draft,
    Envelope,
    EvidenceSubmitted,
    MergeLanded,
    Outcome,
    ReviewRequested,
    TaskAccepted,
    TaskAssigned,
    VerdictGiven,
)
from callboard.bus.task import Briefing, TaskSpec

LATER = datetime(2100, 1, 1, tzinfo=UTC)
SPEC = TaskSpec(key="driver/parser", title="Nested lists", what="Read nested lists", agent="driver", paths=("src/**",))
BRIEF = Briefing(agent="driver", version="0" * 16)


class Agents:
    """All five, or one of them. The manager keeps its board in memory, as the desk does: what it decides next builds on what it decided
    before, and the server refuses it if that was not committed. So messages of one read are decided and committed together.
    """

    def __init__(self, merged: Callable[[], None]) -> None:
        self._versions: dict[str, int] = {}
        self._votes: dict[str, int] = {}
        self._merged = merged

    def lane(self, envelope: Envelope) -> str:
        return envelope.id

    async def handle(self, work: Work) -> Outcome:
        match work.envelope.body:
            case TaskAssigned():
                evidence = EvidenceSubmitted(head=HEAD, files=FILES, notes=NOTES)
                return Outcome((Draft("manager", TaskAccepted()), Draft("manager", evidence)))
            case TaskAccepted():
                return self._changed(work, "working")
            case EvidenceSubmitted():
                body = ReviewRequested(
                    review=work.envelope.task,
                    spec=SPEC,
                    agent="driver",
                    base=HEAD,
                    commit=HEAD,
                    requirements_hash="0" * 16,
                    notes=NOTES,
                    deadline=LATER,
                )
                return self._changed(work, "review", *((name, body) for name in REVIEWERS))
            case ReviewRequested(review=review):
                vote = VerdictGiven(review=review, commit=HEAD, requirements_hash="0" * 16, vote="approved")
                return Outcome((Draft("manager", vote),))
            case VerdictGiven(review=review):
                self._votes[review] = votes = self._votes.get(review, 0) + 1
                landed = MergeLanded(commit=HEAD, tree=HEAD, ref="refs/heads/main")
                sends = (("driver", landed),) if votes == len(REVIEWERS) else ()
                return self._changed(work, "approved", *sends)
            case _:
                self._merged()
                return Outcome()

    def _changed(self, work: Work, doing: str, *sends: tuple[str, Body]) -> Outcome:
        name = f"agent:{work.envelope.task}"
        version = self._versions.get(name, 0) + 1
        self._versions[name] = version
        change = Change(name, AgentDoc(version=version, doing=doing))
        return Outcome(tuple(Draft(to, body) for to, body in sends), (change,))


def assignment(n: int) -> Draft:
    return Draft("driver", TaskAssigned(spec=SPEC, briefing=BRIEF, base=HEAD, start=HEAD), task=f"T-{n}", attempt=1)


def run(url: str, count: int, report: Report) -> None:
    asyncio.run(_run(url, count, report))


async def _run(url: str, count: int, report: Report) -> None:
    bus, merged, stop = await Bus.connect(url, "life"), asyncio.Event(), asyncio.Event()
    gc.collect()
    gc.freeze()
    may_all = lambda *_: True  # noqa: E731
    host = Runtime(
        bus, dict.fromkeys(NAMES, Agents(merged.set)), "host.bench.1", may_send=may_all, handler_timeout_s=60.0
    )

    async def one(n: int) -> None:
        merged.clear()
        await bus.send(assignment(n), sender="manager")
        await merged.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(host.run(stop))
        await timed(one, count, report, lambda: round_trips(url))
