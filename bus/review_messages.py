"""What the manager and the reviewers say to each other: the blind round, then the synthesis and the votes on it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import AwareDatetime

from callboard.bus.agent_messages import ParkCause
from callboard.bus.body import Body
from callboard.bus.caps import Reached
from callboard.bus.reviews import Opinion, Requirement, Standing, Synthesis, Vote
from callboard.bus.task import CommandResult, Finding, TaskSpec


class ReviewRequest(Body):
    """What every request to a reviewer holds; no kind by itself."""

    stage: ClassVar[Literal["", "synthesis", "vote"]] = ""
    review: str
    """Id of this review: task, attempt and round; what an answer is bound to."""
    spec: TaskSpec
    agent: str
    base: str
    commit: str | None
    requirements_hash: str
    requirements: tuple[Requirement, ...] = ()
    """What a finding can be against."""
    commands: tuple[CommandResult, ...] = ()
    notes: str = ""
    deadline: AwareDatetime


class ReviewRequested(ReviewRequest):
    """manager -> reviewer: judge this blindly."""

    kind: ClassVar[str] = "review.requested"


class SynthesisRequested(ReviewRequest):
    """manager -> senior: make one of what stands. Nothing may be added."""

    kind: ClassVar[str] = "synthesis.requested"
    stage: ClassVar[Literal["", "synthesis", "vote"]] = "synthesis"
    standing: tuple[Standing, ...]
    opinions: tuple[Opinion, ...]


class VoteRequested(ReviewRequest):
    """manager -> junior: vote on what the senior made of it."""

    kind: ClassVar[str] = "vote.requested"
    stage: ClassVar[Literal["", "synthesis", "vote"]] = "vote"
    standing: tuple[Standing, ...]
    opinions: tuple[Opinion, ...]
    synthesis: Synthesis


class ReviewWord(Body):
    """What every answer of a reviewer holds; no kind by itself. A missing, late or unreadable one is an abstention."""

    review: str
    commit: str | None
    requirements_hash: str
    notes: str = ""
    parked: ParkCause | None = None
    """Why it could not think, with an abstention: then it is asked again, once it can."""
    until: AwareDatetime | None = None
    reached: Reached | None = None
    """Parked for the budget: the cap that left no room."""


class VerdictGiven(ReviewWord):
    """reviewer -> manager: its blind verdict."""

    kind: ClassVar[str] = "verdict.given"
    vote: Vote
    findings: tuple[Finding, ...] = ()


class SynthesisGiven(ReviewWord):
    """senior -> manager. What of it counts is decided by the desk."""

    kind: ClassVar[str] = "synthesis.given"
    synthesis: Synthesis


class VoteGiven(ReviewWord):
    """junior -> manager: its vote on the synthesis."""

    kind: ClassVar[str] = "vote.given"
    vote: Vote
