"""Runs that were started from outside: what was asked for, and what outside builders and auditors said of each phase.

A phase is a task of such a run under the id that whoever started the run gave it (decision 0042).
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from callboard.bus.doc import Doc
from callboard.bus.reviews import Verdict
from callboard.bus.task import Fact

Complexity = Literal["low", "medium", "high"]
Confidence = Literal["low", "medium", "high"]
BuilderStatus = Literal["success", "failed", "needs_review"]
Recommendation = Literal["approve", "revise", "escalate"]

MOST_KEPT = 20
"""Claims, and words of an auditor, that a phase keeps; the journal has all."""


class TierAsked(Fact):
    """A tier as it was asked for."""

    id: str
    index: int = 0
    name: str = ""
    description: str = ""


class PhaseAsked(Fact):
    """A phase as it was asked for. Categories and modes are free text."""

    id: str
    index: int = 0
    tier: str = ""
    name: str
    description: str = ""
    task_category: str = ""
    complexity: Complexity = "medium"
    builder_mode: str = ""
    driver: str = ""
    """The driver of the launched roster that does it; "" = whoever builds from outside."""


class OutsideDoc(Doc):
    """What makes a run one that was started from outside: it has two seats, and no process sits in them."""

    builder: str = ""
    """The seat that hands in: a driver's."""
    auditor: str = ""
    """The seat that judges: the only reviewer of the run."""
    run_scope: str = ""
    max_phases: int = 0
    tiers: tuple[TierAsked, ...] = ()
    drivers: tuple[str, ...] = ()
    """Of the launched roster, whom phases name: they take those, and no others (decision 0049)."""


class Claim(Fact):
    """What an outside builder says of its own work. None of it is believed."""

    status: BuilderStatus
    patch: str = ""
    """The patch as it was sent, as a blob of the builder's vault (40 hex); "" = it sent none."""
    head: str = ""
    """The commit that was made of it in the vault; "" = none could be."""
    files: tuple[str, ...] = ()
    lines_added: int = 0
    lines_removed: int = 0
    attempts: int = 0
    tokens: int = 0
    minutes: float = 0
    notes: str = ""
    refused: str = ""
    """Why intake imported nothing; "" = it did, or does not know yet."""
    differs: tuple[str, ...] = ()
    """Where the gate's own result says something else, as sentences."""
    at: AwareDatetime | None = None


class AuditAsked(Fact):
    """That an auditor is wanted, and for what."""

    focus: str = ""
    profile: str = ""
    at: AwareDatetime | None = None


class AuditSaid(Fact):
    """What an outside auditor said, and whether it counted."""

    recommendation: Recommendation
    confidence: Confidence = "medium"
    notes: str = ""
    findings: int = 0
    commit: str = ""
    """What it was about; "" = nothing was handed in."""
    counted: bool = False
    why_not: str = ""
    at: AwareDatetime | None = None


class PhaseDoc(Doc):
    """What is known of a phase beside its task."""

    task: str = ""
    asked: PhaseAsked | None = None
    claims: tuple[Claim, ...] = ()
    audits_asked: tuple[AuditAsked, ...] = ()
    audits: tuple[AuditSaid, ...] = ()
    early: Verdict | None = None
    """A verdict that came while the gate was at work; it counts once the review of `early_of` opens."""
    early_of: str = ""
    """The handed-in commit that it is about."""
    counts: dict[str, int] = {}
    """What whoever moved the phase said of it."""
    suggested_in: str = ""
    """The phase whose auditor suggested it; "" = whoever started the run asked for it."""

    @property
    def phase(self) -> PhaseAsked:
        """A PhaseDoc on a board always has one."""
        assert self.asked is not None
        return self.asked
