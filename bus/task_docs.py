"""A task on the board, and what blocks it."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from callboard.bus.doc import Doc
from callboard.bus.reviews import Verdict
from callboard.bus.states import TaskState
from callboard.bus.task import CommandResult, Note, Permit, TaskSpec


class TaskDoc(Doc):
    id: str = ""
    spec: TaskSpec | None = None
    state: TaskState = TaskState.QUEUED
    reason: str = ""
    """Why it is in this state, for a person."""
    agent: str = ""
    """Who works on it, or last did; "" before the first assignment."""
    attempt: int = 0
    """The current attempt, from 1; 0 before the first assignment."""
    spent: int = 0
    """Attempts that ended in changes requested, a refusal or a failure; a blocker or a crash costs none."""
    base: str = ""
    pin: str = ""
    """The work kept of the last attempt; the next one starts from it. "" = start at the integration head."""
    head: str = ""
    """The handed-in commit under judgement; "" when the task changed nothing."""
    tree: str = ""
    gate_hash: str = ""
    files: tuple[str, ...] = ()
    commands: tuple[CommandResult, ...] = ()
    evidence: str = ""
    """The driver's notes with its last evidence."""
    notes: tuple[Note, ...] = ()
    review: str = ""
    """Id of the open or last review."""
    review_rounds: int = 0
    """How often this attempt was sent to the reviewers."""
    unanswered: int = 0
    """How often in a row a review of it found no quorum."""
    review_commit: str = ""
    reviewed_base: str = ""
    verdicts: dict[str, Verdict] = {}
    reviewers: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    """Whose word the second round of its review still waits for."""
    blocker: str = ""
    question: str = ""
    intent: str = ""
    landed: str = ""
    queued_at: AwareDatetime | None = None
    merging_at: AwareDatetime | None = None
    """When a drain of the queue took it; the dates of its merge commit, so that a repeated merge writes the same object."""
    changed_at: AwareDatetime | None = None
    not_before: AwareDatetime | None = None
    """Standing work repeats at this time; set between its rounds, and only then."""
    rests: bool = False
    """Until a timer says that this time has come: the server's clock counts, not this process's."""
    rounds: int = 0
    """How often standing work was done."""
    edited: str = ""
    """Digest of the newer text that its direction file has had since it was begun; "" = none."""
    removed: bool = False
    """It was cancelled because its direction file had lost it; it comes back with it."""
    waived: tuple[str, ...] = ()
    """What a person said it goes on without: keys of dependencies, its Status, its owner."""
    permits: tuple[Permit, ...] = ()
    """What a person let through intake; it holds for every later attempt."""

    @property
    def awaited(self) -> tuple[str, ...]:
        """Reviewers whose word its open review still waits for."""
        return tuple(name for name in self.reviewers if name not in self.verdicts) or self.asked

    @property
    def task(self) -> TaskSpec:
        """The spec; a TaskDoc on a board always has one."""
        assert self.spec is not None
        return self.spec


class BlockerDoc(Doc):
    id: str = ""
    task: str = ""
    agent: str = ""
    what: str = ""
    tried: str = ""
    needs: str = ""
    severity: Literal["minor", "major"] = "major"
    state: Literal["open", "resolved", "closed"] = "open"
    answer: str = ""
    raised_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    question: str = ""
    """The question a person answers to resolve it; "" while it climbs the ladder (bus/problems.py)."""
    cause: Literal["agent", "stuck", "import", "review"] = "agent"
    """Who raised it: the agent; the desk, as it gets nowhere; the desk before anybody began, for what the task asks; the
    desk for want of a review."""
