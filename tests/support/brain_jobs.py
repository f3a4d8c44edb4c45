"""Jobs for brains under test."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from callboard.agents.brains.brain import Job, ReviewJob, Seat
from callboard.bus.messages import ReviewRequested
from callboard.bus.task import Briefing, CommandResult, Note, TaskSpec

SPEC = TaskSpec(key="driver-1/health", title="Add a /health endpoint", agent="driver-1", checks=("true",))
BRIEFING = Briefing(agent="driver-1", version="00ff", mission="Serve", canon=("docs/api.md",), locks=("NO_MOCKS",))


def seat(cwd: Path, agent: str = "driver-1", timeout_s: float = 30.0) -> Seat:
    return Seat(
        run="r1", agent=agent, prompt="You drive.", cwd=cwd, timeout_s=timeout_s, env={"PATH": os.environ["PATH"]}
    )


def job(cwd: Path, *, attempt: int = 1, notes: tuple[Note, ...] = (), timeout_s: float = 30.0) -> Job:
    return Job(
        seat=seat(cwd, timeout_s=timeout_s),
        task="T-7",
        attempt=attempt,
        spec=SPEC,
        briefing=BRIEFING,
        base="a" * 40,
        notes=notes,
    )


def review_job(cwd: Path, *, timeout_s: float = 30.0) -> ReviewJob:
    result = CommandResult(command="pytest -q", exit_code=0, duration_s=1.0, digest="0" * 64)
    request = ReviewRequested(
        review="T-7.1.1",
        spec=SPEC,
        agent="driver-1",
        base="a" * 40,
        commit="b" * 40,
        requirements_hash=SPEC.digest,
        commands=(result,),
        deadline=datetime(2030, 1, 1, tzinfo=UTC),
    )
    return ReviewJob(seat=seat(cwd, "senior", timeout_s), task="T-7", attempt=1, request=request, diff="+x = 1\n")


class Lines:
    """A report that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def __call__(self, line: str) -> None:
        self.said.append(line)
