"""What an attempt or a review is about: the same wherever and whenever it is made. Pure."""

from __future__ import annotations

import hashlib

from callboard.agents.brains.brain import AnyJob, Inquiry, Job
from callboard.agents.brains.calls import About
from callboard.agents.deployment.notes import is_notes
from callboard.bus.task import TaskSpec

PLACE = (" ", "@@", "index ")
"""Beginnings of a diff's lines that say where a change lies: they follow from what else has landed, and from git's version."""


def about(job: AnyJob) -> About:
    if isinstance(job, Job):
        return About(key=job.spec.key, agent=job.seat.agent, attempt=job.attempt, asked=asked_for(job.spec))
    if isinstance(job, Inquiry):
        if job.about is not None:
            return job.about
        asked = hashlib.sha256(job.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return About(key=f"{job.kind}/{job.id}", agent=job.seat.agent, attempt=job.attempt, asked=asked)
    request = job.request
    return About(
        key=request.spec.key,
        agent=job.seat.agent,
        attempt=job.attempt,
        round=int(request.review.rpartition(".")[2]),
        asked=asked_for(request.spec),
        # what notes say has dates and commits in it
        change="" if is_notes(request.spec) else change_digest(job.diff),
    )


def asked_for(spec: TaskSpec) -> str:
    """16 hex digits over what a task asks for. One that a deployment made names commits and measurements, which no other run
    has: its key says which failure of which deployment it is about."""
    if spec.source.kind == "deployment":
        return hashlib.sha256(spec.key.encode()).hexdigest()[:16]
    return spec.digest


def change_digest(diff: str) -> str:
    """16 hex digits over what a diff adds and takes away; "" when that is nothing."""
    lines = [line for line in diff.split("\n") if line and not line.startswith(PLACE)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16] if lines else ""
