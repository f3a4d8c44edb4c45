"""What people and outside agents say to the manager of a run that was started from outside."""

from __future__ import annotations

from typing import ClassVar, Literal

from callboard.bus.body import Body
from callboard.bus.caps import Limits
from callboard.bus.issues import Report
from callboard.bus.outside import AuditAsked, BuilderStatus, Claim, Confidence, PhaseAsked, Recommendation, TierAsked
from callboard.bus.task import Briefing, CommandResult, Fact, Finding

PhaseMove = Literal["QUEUED", "EXECUTING", "GATE", "CI_RUNNING", "COMPLETE", "FAILED", "SKIPPED"]
"""A phase's state, as the guide names them."""


class RunOpened(Body):
    """person -> manager: what the run is to do, once, before anything else."""

    kind: ClassVar[str] = "run.opened"
    builder: str
    auditor: str
    run_scope: str = ""
    max_phases: int = 0
    tiers: tuple[TierAsked, ...] = ()
    phases: tuple[PhaseAsked, ...] = ()
    limits: Limits = Limits()
    briefings: tuple[Briefing, ...] = ()
    """Of the drivers that phases name: as their direction files are now."""


class PhaseMoved(Body):
    """person -> manager: a phase shall be in another state."""

    kind: ClassVar[str] = "phase.moved"
    state: PhaseMove
    counts: dict[str, int] = {}


class WorkSubmitted(Body):
    """outside builder -> manager: what it made of a phase; it takes the phase at the same moment, if it has not."""

    kind: ClassVar[str] = "work.submitted"
    claim: Claim
    base: str = ""
    """The commit that the patch was put on; "" = it is no patch."""
    commands: tuple[CommandResult, ...] = ()
    issues: tuple[Report, ...] = ()


class AuditRequested(Body):
    """outside builder -> manager: an auditor is wanted."""

    kind: ClassVar[str] = "audit.requested"
    asked: AuditAsked


class Suggested(Fact):
    """A patch that an auditor suggests: a phase of its own."""

    title: str
    claim: Claim
    base: str = ""


class AuditGiven(Body):
    """outside auditor -> manager: its verdict on what is handed in."""

    kind: ClassVar[str] = "audit.given"
    recommendation: Recommendation
    confidence: Confidence = "medium"
    notes: str = ""
    findings: tuple[Finding, ...] = ()
    """Checked against the handed-in tree, as every reviewer's are."""
    commit: str = ""
    """What they were checked against."""
    issues: tuple[Report, ...] = ()
    patches: tuple[Suggested, ...] = ()


class IssueSeen(Body):
    """outside builder or auditor -> manager: something is wrong; `source` says in their words who saw it."""

    kind: ClassVar[str] = "issue.seen"
    report: Report
    source: str = ""


__all__ = [
    "AuditGiven",
    "AuditRequested",
    "BuilderStatus",
    "IssueSeen",
    "PhaseMove",
    "PhaseMoved",
    "RunOpened",
    "Suggested",
    "WorkSubmitted",
]
