"""The vocabulary: one class per kind of message. This is the module to import messages from: with it all kinds are known."""

from __future__ import annotations

from typing import ClassVar, Literal

from callboard.bus.agent_messages import (
    AgentUnreachable,
    AnswerGiven,
    ApprovalRequested,
    AttemptFailed,
    AttemptParked,
    AttemptStopped,
    BlockerRaised,
    BlockerResolved,
    ChangesRequested,
    EvidenceSubmitted,
    HandInRefused,
    ParkCause,
    QuestionAsked,
    TaskAccepted,
    TaskAssigned,
    TaskCancelled,
    TaskProgressed,
)
from callboard.bus.body import KINDS, Body
from callboard.bus.caps import Limits, Reached
from callboard.bus.consult_messages import BlockerClimbed, CanonAsked, CanonRead, ConsultAnswered, ConsultRequested
from callboard.bus.deployment_messages import (
    DeploymentChanged,
    DeploymentCommanded,
    DeploymentNoted,
    DeploymentRequested,
    ReleaseReviewGiven,
    ReleaseReviewRequested,
)
from callboard.bus.envelope import (
    JOURNAL,
    Draft,
    Envelope,
    Outcome,
    Timer,
    emitted_id,
    new_id,
    new_trace,
    outcome_id,
)
from callboard.bus.hand_messages import (
    GateFinished,
    GateRequested,
    LandFinished,
    LandRequested,
    MergePrepared,
    MergeRequested,
    PinRequested,
    PromotionFinished,
    PromotionRequested,
)
from callboard.bus.issue_messages import BacklogCarried, IssueClosed, IssueReported
from callboard.bus.log_messages import FeedbackLogged, LogKind, MessageRefused, RunSummed
from callboard.bus.outside_messages import (
    AuditGiven,
    AuditRequested,
    IssueSeen,
    PhaseMoved,
    RunOpened,
    WorkSubmitted,
)
from callboard.bus.people_messages import CommandGiven, CommandHandled
from callboard.bus.review_messages import (
    ReviewRequest,
    ReviewRequested,
    ReviewWord,
    SynthesisGiven,
    SynthesisRequested,
    VerdictGiven,
    VoteGiven,
    VoteRequested,
)
from callboard.bus.task import Briefing, Fact, TaskSpec

__all__ = [
    "JOURNAL",
    "KINDS",
    "AgentStarted",
    "AgentStopped",
    "AgentUnreachable",
    "AnswerGiven",
    "ApprovalRequested",
    "AttemptFailed",
    "AttemptParked",
    "AttemptStopped",
    "AuditGiven",
    "AuditRequested",
    "BacklogCarried",
    "BlockerClimbed",
    "BlockerRaised",
    "BlockerResolved",
    "Body",
    "BudgetReached",
    "CanonAsked",
    "CanonRead",
    "ChangesRequested",
    "CommandGiven",
    "CommandHandled",
    "ConsultAnswered",
    "ConsultRequested",
    "DeploymentChanged",
    "DeploymentCommanded",
    "DeploymentNoted",
    "DeploymentRequested",
    "DirectionFile",
    "DirectionsRead",
    "DiskChanged",
    "Draft",
    "Envelope",
    "EvidenceSubmitted",
    "FeedbackLogged",
    "GateFinished",
    "GateRequested",
    "HandInRefused",
    "IssueClosed",
    "IssueReported",
    "IssueSeen",
    "LandFinished",
    "LandRequested",
    "LogKind",
    "MergeLanded",
    "MergePrepared",
    "MergeRequested",
    "MessageRefused",
    "MinutePassed",
    "Outcome",
    "ParkCause",
    "PhaseMoved",
    "PinRequested",
    "PromotionChanged",
    "PromotionFinished",
    "PromotionRequested",
    "QuestionAsked",
    "ReleaseReviewGiven",
    "ReleaseReviewRequested",
    "ReviewRequest",
    "ReviewRequested",
    "ReviewWord",
    "RosterChanged",
    "RunOpened",
    "RunSummed",
    "SynthesisGiven",
    "SynthesisRequested",
    "TaskAccepted",
    "TaskAssigned",
    "TaskCancelled",
    "TaskClosed",
    "TaskProgressed",
    "Timer",
    "TimerFired",
    "VerdictGiven",
    "VoteGiven",
    "VoteRequested",
    "WorkSubmitted",
    "emitted_id",
    "new_id",
    "new_trace",
    "outcome_id",
]


# --- runtime -> manager --------------------------------------------------------------------------


class AgentStarted(Body):
    """agent -> manager: it is there and takes work. `facts`: the four startup facts, as sentences."""

    kind: ClassVar[str] = "agent.started"
    role: str
    pid: int
    host: str
    facts: tuple[str, ...] = ()


class AgentStopped(Body):
    """agent -> manager: it stops and takes no more work."""

    kind: ClassVar[str] = "agent.stopped"
    reason: str = ""


class RosterChanged(Body):
    """launcher -> manager: the roster that was launched (`agents`: name -> role), or agents that are down for good."""

    kind: ClassVar[str] = "roster.changed"
    agents: dict[str, str]
    down: tuple[str, ...] = ()
    reason: str = ""
    stay: bool = False
    """The launch goes on when all work is done."""
    seats: dict[str, str] = {}
    """Reviewer -> its seat in the trio."""
    again: tuple[str, ...] = ()
    """Keys of tasks to do once more although they have ended."""
    limits: Limits = Limits()
    """What `[budget]` says; of the roster that was launched."""


class DiskChanged(Body):
    """launcher -> manager: there is too little space for new work, or there is enough again."""

    kind: ClassVar[str] = "disk.changed"
    is_low: bool
    free_bytes: int


class DirectionFile(Fact):
    """One direction file as it stands now."""

    briefing: Briefing
    tasks: tuple[TaskSpec, ...]
    problems: tuple[str, ...] = ()
    """Each as `file:line: message`."""


class DirectionsRead(Body):
    """hands -> manager: all direction files at one moment, so that a run never ends between two of them."""

    kind: ClassVar[str] = "directions.read"
    files: tuple[DirectionFile, ...]
    landed: dict[str, str] = {}
    """Task key -> digest of what earlier runs finished."""
    unreadable: tuple[str, ...] = ()
    """Paths of files that could not be read: their tasks stay as they are."""


class MinutePassed(Body):
    """manager -> manager: it has been there for one more minute."""

    kind: ClassVar[str] = "minute.passed"


class BudgetReached(Body):
    """manager -> manager: what calls have cost has come to most of a cap, or to all of it."""

    kind: ClassVar[str] = "budget.reached"
    reached: tuple[Reached, ...]


class TimerFired(Body):
    """manager -> manager, when its time has come."""

    kind: ClassVar[str] = "timer.fired"
    about: Literal["review", "standing", "parked", "question", "consult", "release_review"]
    subject: str = ""
    """The id of the review, the question or the consult (release_review: of a review of deployed code); `<agent> <time>` of a parking, `<task> <round>` of standing work."""


# --- manager -> all concerned --------------------------------------------------------------------


class MergeLanded(Body):
    """manager -> the task's agent."""

    kind: ClassVar[str] = "merge.landed"
    commit: str
    tree: str
    ref: str


class TaskClosed(Body):
    """manager -> the task's agent: the task has ended without a merge."""

    kind: ClassVar[str] = "task.closed"
    state: Literal["done", "failed", "cancelled", "skipped"]
    reason: str


class PromotionChanged(Body):
    """manager -> journal."""

    kind: ClassVar[str] = "promotion.changed"
    target: str
    old: str
    new: str
