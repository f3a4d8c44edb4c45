"""What the manager and the drivers say to each other about a task."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from callboard.bus.body import Body
from callboard.bus.caps import Reached
from callboard.bus.issues import Report
from callboard.bus.task import Briefing, CommandResult, Finding, Note, Permit, TaskSpec

ParkCause = Literal["rate_limit", "provider", "budget", "away"]
"""Why thinking has to wait: the provider takes no more until a time; no model of the agent's list can be reached; a budget
is spent; whoever works for an agent from outside is away."""


# --- manager <-> agent ---------------------------------------------------------------------------


class TaskAssigned(Body):
    """manager -> agent: work on this. Everything the agent needs is in it."""

    kind: ClassVar[str] = "task.assigned"
    spec: TaskSpec
    briefing: Briefing
    base: str
    """The commit the result is judged against (40 hex)."""
    start: str
    """The commit the clone starts from: `base`, or the pin of an earlier attempt's work."""
    notes: tuple[Note, ...] = ()


class TaskCancelled(Body):
    """manager -> agent: stop working on it."""

    kind: ClassVar[str] = "task.cancelled"
    reason: str


class AgentUnreachable(Body):
    """launcher -> manager: the process of an agent cannot be reached; it is ended, and another one started."""

    kind: ClassVar[str] = "agent.unreachable"
    agent: str
    reason: str


class TaskAccepted(Body):
    """agent -> manager: it has begun."""

    kind: ClassVar[str] = "task.accepted"
    direction: str = ""
    """The version of the direction file that it was given with the task; "" = there is none."""


class TaskProgressed(Body):
    """agent -> manager: what it is doing now. The proof of life is progress."""

    kind: ClassVar[str] = "task.progressed"
    doing: str = ""
    """Its newest line; "" where only was measured."""
    diff: str = ""
    """A digest of all that its clone holds, where that was measured."""
    quiet_s: float = 0
    """For how long measurements have found neither another file, nor a result of a tool, nor a line more."""


class AttemptStopped(Body):
    """agent -> manager: what an attempt left that was taken away while it ran."""

    kind: ClassVar[str] = "attempt.stopped"
    head: str


class EvidenceSubmitted(Body):
    """agent -> manager: it thinks it is done; never believed, always checked."""

    kind: ClassVar[str] = "evidence.submitted"
    head: str | None
    """The handed-in commit in the agent's vault; None when the task changed nothing."""
    diff: str = ""
    """A digest of the change against its base, the same for the same change; "" = not said."""
    commands: tuple[CommandResult, ...] = ()
    files: tuple[str, ...] = ()
    notes: str = ""
    issues: tuple[Report, ...] = ()
    """What else it saw to be wrong, which is no part of the task."""


class BlockerRaised(Body):
    """agent -> manager: it cannot go on with this task; it goes on with its next one."""

    kind: ClassVar[str] = "blocker.raised"
    what: str
    tried: str = ""
    needs: str = ""
    severity: Literal["minor", "major"] = "major"
    head: str | None = None
    """The work so far, pinned in the agent's vault; None when there is none."""


class BlockerResolved(Body):
    """manager -> agent: what it was blocked by is answered; the task comes back by `task.assigned`."""

    kind: ClassVar[str] = "blocker.resolved"
    blocker: str
    answer: str
    by: Literal["canon", "senior", "trio", "person"] = "person"
    """Only a person's answer is an order; the others' is advice."""


class QuestionAsked(Body):
    """agent -> manager: a person is asked; the task parks meanwhile."""

    kind: ClassVar[str] = "question.asked"
    text: str
    options: tuple[str, ...] = ()
    default: str = ""
    """What counts when nobody answers in time; "" = it waits."""
    within_minutes: int | None = None
    """In time is within these; None = as callboard.toml says."""
    head: str | None = None


class AnswerGiven(Body):
    """manager -> agent: a person's answer; the task comes back by `task.assigned`."""

    kind: ClassVar[str] = "answer.given"
    question: str
    text: str


class AttemptFailed(Body):
    """agent -> manager: the brain gave up or broke; the work so far is kept."""

    kind: ClassVar[str] = "attempt.failed"
    reason: str
    head: str | None = None
    cause: Literal["brain", "environment"] = "brain"
    """environment: its clone could not be had, so nobody thought."""


class AttemptParked(Body):
    """agent -> manager: it cannot think now; the attempt costs none, and its work is kept."""

    kind: ClassVar[str] = "attempt.parked"
    cause: ParkCause
    detail: str
    until: AwareDatetime | None = None
    """When it can go on; None = nobody knows, or when a person says so."""
    head: str | None = None
    reached: Reached | None = None
    """Cause budget: the cap that left no room."""


class HandInRefused(Body):
    """manager -> agent: nothing of what it handed in was imported."""

    kind: ClassVar[str] = "intake.refused"
    rule: str
    path: str
    way_out: str


class ApprovalRequested(Body):
    """manager -> agent: a person is asked whether what it handed in may pass intake; the task parks meanwhile."""

    kind: ClassVar[str] = "approval.requested"
    question: str
    """The id under which a person answers."""
    text: str
    permits: tuple[Permit, ...]


class ChangesRequested(Body):
    """manager -> agent: gate, review or landing sent it back; the task comes back by `task.assigned`."""

    kind: ClassVar[str] = "changes.requested"
    source: Literal["gate", "review", "landing"]
    summary: str
    findings: tuple[Finding, ...] = ()
    detail: str = ""
    """What a gate printed last, or both sides of a conflict."""
