"""What every brain is: something that works on a task in a clone, or judges what another agent handed in."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, JsonValue

from callboard.agents.brains.calls import About
from callboard.agents.workspace.sandbox import OFF, Sandbox
from callboard.bus.caps import Reached
from callboard.bus.issues import Report as Issue
from callboard.bus.messages import ParkCause, ReviewRequest
from callboard.bus.task import Briefing, Note, TaskSpec

Report = Callable[[str], Awaitable[None]]
"""Takes one line of what the brain is doing now; cheap to call often, its receiver bounds the rate."""


@dataclass(frozen=True, slots=True)
class Seat:
    """Who thinks, where, and for how long."""

    run: str
    agent: str
    prompt: str
    """The role's prompt."""
    cwd: Path
    """The only folder the brain works in: its clone, or its checkout of what it judges."""
    timeout_s: float
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment of every process the brain starts."""
    sandbox: Sandbox = OFF
    """What those processes may do."""


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at one task."""

    seat: Seat
    task: str
    """The task's id on the board, such as `T-7`."""
    attempt: int
    spec: TaskSpec
    briefing: Briefing
    base: str
    """The commit the result is judged against."""
    notes: tuple[Note, ...] = ()

    def as_json(self) -> str:
        """The task for a brain outside this process (docs/brains.md)."""
        return json.dumps(
            {
                **_head(self),
                "base": self.base,
                "spec": self.spec.model_dump(mode="json"),
                "briefing": self.briefing.model_dump(mode="json"),
                "notes": [note.model_dump(mode="json") for note in self.notes],
                "prompt": self.seat.prompt,
            }
        )


@dataclass(frozen=True, slots=True)
class ReviewJob:
    """One thing to judge."""

    seat: Seat
    task: str
    attempt: int
    request: ReviewRequest
    diff: str
    """Unified diff of base and commit, cut at a stated length; "" when nothing changed."""

    def as_json(self) -> str:
        """The review request for a brain outside this process (docs/brains.md)."""
        return json.dumps(
            {
                **_head(self),
                "author": self.request.agent,
                **self.request.model_dump(mode="json", exclude={"agent"}),
                "diff": self.diff,
                "prompt": self.seat.prompt,
            }
        )


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question in writing: the brain looks around and answers in a given shape, and changes nothing."""

    seat: Seat
    task: str
    """The task's id on the board, whose budget pays; a name that no task has where it is about none."""
    attempt: int
    kind: str
    """What it is for: one word, which also names the tool that ends it, such as `plan`."""
    id: str
    """The same when it is asked again after a crash; names its call log, such as `plan.1`."""
    text: str
    """What is asked, as Markdown; what came from outside is framed in it."""
    shape: type[BaseModel]
    """What an answer looks like; unknown keys are for it to refuse."""
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    """The same question for programs, which do not read prose."""
    about: About | None = None
    """What it is about, as far as that is the same at another place; None = its kind, id and text."""

    def as_json(self) -> str:
        """The question for a brain outside this process (docs/brains.md)."""
        asked = {"ask": self.kind, "id": self.id, "text": self.text, "schema": self.shape.model_json_schema()}
        return json.dumps({**_head(self), **asked, **self.facts, "prompt": self.seat.prompt})


AnyJob = Job | ReviewJob | Inquiry


def _head(job: AnyJob) -> dict[str, str | int]:
    return {"run": job.seat.run, "agent": job.seat.agent, "task": job.task, "attempt": job.attempt}


@dataclass(frozen=True, slots=True)
class Done:
    """It says that the task is done; nobody believes it before the gate does."""

    notes: str = ""
    issues: tuple[Issue, ...] = ()
    """What else it saw to be wrong, which is no part of the task."""
    commit: str = ""
    """A commit of the vault, on the task's base, that is the work; "" = the work is what lies in the clone."""


@dataclass(frozen=True, slots=True)
class Blocked:
    """It cannot go on with this task."""

    what: str
    tried: str = ""
    needs: str = ""
    severity: Literal["minor", "major"] = "major"
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """It needs a person's answer to go on."""

    text: str
    options: tuple[str, ...] = ()
    notes: str = ""
    default: str = ""
    """What it does when nobody answers in time; one of the options, where there are any."""
    within_minutes: int | None = None
    """In time is within these; None = as callboard.toml says."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It gave up or broke."""

    reason: str
    cause: Literal["brain", "environment"] = "brain"


@dataclass(frozen=True, slots=True)
class Parked:
    """It cannot think now, and nobody's work is to blame: the same task goes on later, from what it left."""

    cause: ParkCause
    detail: str
    """What was tried, and what came of it, as a sentence."""
    until: datetime | None = None
    """When it can go on; None = nobody knows, or when a person says so."""
    reached: Reached | None = None
    """Cause budget: the cap that left no room."""


Result = Done | Blocked | Asked | Failed | Parked


@dataclass(frozen=True, slots=True)
class RawVerdict:
    """What a brain said as a reviewer, before anybody has checked that it is a verdict."""

    text: str


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What a brain answered to an inquiry, before anybody has checked that it has its shape (`answer.read_shape`)."""

    text: str


class Worker(Protocol):
    """What a driver asks of its brain."""

    async def work(self, job: Job, report: Report) -> Result:
        """Work on a task in `job.seat.cwd` until it is done or cannot go on.

        Raises:
            BrainError: The brain gave nothing that can be used.
            BrainParked, BudgetSpent: The same as to return `Parked`, for what is deep inside.
        """
        ...


class Judge(Protocol):
    """What everybody else does."""

    async def review(self, job: ReviewJob) -> RawVerdict:
        """Judge what was handed in; `job.seat.cwd` is a checkout of it.

        Raises:
            BrainError: The brain gave nothing that can be used.
            BrainParked, BudgetSpent: It cannot think within its time; the review waits for it.
        """
        ...

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        """Answer a question; `inquiry.seat.cwd` is a checkout of what it is about.

        Raises:
            BrainError, BrainParked, BudgetSpent: As for a review.
        """
        ...


class Brain(Worker, Judge, Protocol):
    """Where thinking comes from. A cancelled call leaves no process behind."""
