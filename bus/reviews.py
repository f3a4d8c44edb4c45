"""What a review consists of, and its document on the board: three blind verdicts, a synthesis, two votes, an outcome."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from callboard.bus.doc import Doc
from callboard.bus.task import Fact, Finding

SeatName = Literal["senior", "junior-1", "junior-2"]
SEATS: tuple[SeatName, ...] = ("senior", "junior-1", "junior-2")
Vote = Literal["approved", "needs_revision", "abstained"]
Verdicted = Literal["consensus", "fixes", "major_flaws", "blocked"]
"""consensus: it goes on; fixes and major_flaws: it goes back, without and with an open major; blocked: a person decides."""


class Requirement(Fact):
    """One thing that a finding can be against."""

    id: str
    """Stable for one text of the task: `what`, `check-1`, `lock-2`, `field-risk`; or a rule that holds for every task."""
    text: str


class Verdict(BaseModel):
    """One reviewer's answer, as the desk keeps it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    vote: Vote
    findings: tuple[Finding, ...] = ()
    notes: str = ""


class Standing(Fact):
    """A finding that passed the mechanical checks, whoever and however many stated it."""

    id: str
    """`F-1`, `F-2`, ...: the worst first."""
    by: tuple[str, ...]
    """Seats."""
    finding: Finding


class Opinion(Fact):
    """What one seat said in the first round, beside its findings."""

    seat: str
    vote: Vote
    notes: str = ""
    dropped: tuple[Finding, ...] = ()
    """Its findings that counted for nothing, each with the reason."""


class SynthesisItem(Fact):
    """One thing that has to change."""

    findings: tuple[str, ...]
    """Ids of what stands, at least one."""
    text: str


class Dismissal(Fact):
    """A finding that stands and is out of the task's scope."""

    finding: str
    reason: str


class Synthesis(Fact):
    """What the senior made of all that stands."""

    summary: str = ""
    items: tuple[SynthesisItem, ...] = ()
    dismissed: tuple[Dismissal, ...] = ()
    refused: tuple[str, ...] = ()
    """What code did not let count of it, each with the reason."""
    abstained: str = ""
    """Why there is none; "" = there is."""


class SecondVote(Fact):
    """A junior's word on the synthesis."""

    vote: Vote
    notes: str = ""


class ReviewDoc(Doc):
    """A review from the end of its first round on."""

    id: str = ""
    task: str = ""
    attempt: int = 0
    commit: str = ""
    """"" when no code was changed."""
    requirements_hash: str = ""
    seats: dict[str, str] = {}
    """Seat -> reviewer."""
    stage: Literal["synthesis", "vote", "closed"] = "closed"
    verdicts: dict[str, Verdict] = {}
    synthesis: Synthesis | None = None
    """None: nobody was asked for one, or it is awaited."""
    votes: dict[str, SecondVote] = {}
    outcome: Literal["", "consensus", "fixes", "major_flaws", "blocked", "no_quorum", "accepted"] = ""
    """accepted: a person let it pass, against what was said."""
    summary: str = ""
    open: tuple[Standing, ...] = ()
    """What stood at the end, and was not dismissed or was taken up again."""
    dissent: tuple[str, ...] = ()
    """Reviewers whose last word was another than the outcome."""
    drifted: bool = False
    """It is against a requirement that the round before had nothing against."""
    stop: str = ""
    """Why it asked a person; "" = it did not."""
    at: AwareDatetime | None = None
