"""What happened in a run, read off its journal alone; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from callboard.bus.journal import JournalEntry
from callboard.bus.messages import (
    AttemptFailed,
    AttemptParked,
    BlockerRaised,
    BlockerResolved,
    ChangesRequested,
    Envelope,
    EvidenceSubmitted,
    FeedbackLogged,
    GateFinished,
    HandInRefused,
    MessageRefused,
    PromotionChanged,
    QuestionAsked,
    TaskAccepted,
    TaskAssigned,
    VerdictGiven,
)
from callboard.bus.task import CommandResult, Finding

HANDS_BACK = (EvidenceSubmitted, BlockerRaised, QuestionAsked, AttemptFailed, AttemptParked)


@dataclass(frozen=True, slots=True)
class GateFailure:
    task: str
    attempt: int
    commands: tuple[CommandResult, ...]
    """What the gate ran, in order."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A review that sent an attempt back."""

    task: str
    attempt: int
    findings: tuple[Finding, ...]
    votes: Mapping[str, str]
    """Reviewer -> vote."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An attempt that intake did not take in."""

    task: str
    attempt: int
    rule: str
    path: str


@dataclass(frozen=True, slots=True)
class Blocker:
    task: str
    agent: str
    what: str
    answer: str = ""
    """"" = it was never resolved."""
    meanwhile: tuple[str, ...] = ()
    """Tasks that the agent began before this one came back to it."""
    came_back: bool = False


@dataclass(slots=True)
class Story:
    """A run's events, in order. Tasks are named by their ids."""

    gate_failures: list[GateFailure] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
    at_once: set[frozenset[str]] = field(default_factory=set)
    """Pairs of tasks that two agents worked on at the same time."""
    promoted: str = ""
    """Where the target branch was last moved."""
    logged: dict[str, list[str]] = field(default_factory=dict)
    """Agent -> the ids of the entries its feedback log has to have."""
    oddities: list[str] = field(default_factory=list)
    """Refused messages and dead letters."""


def read_story(entries: Iterable[JournalEntry]) -> Story:
    """Read a journal from its beginning."""
    reader = _Reader()
    for entry in entries:
        if entry.dead is not None:
            reader.story.oddities.append(f"dead letter of {entry.dead.inbox}: {entry.dead.reason}")
        for n, message in enumerate(entry.messages, start=1):
            reader.read(message, f"{message.run}/{entry.seq}.{n}")
    return reader.story


@dataclass(slots=True)
class _Reader:
    story: Story = field(default_factory=Story)
    _hands_on: dict[str, str] = field(default_factory=dict)
    """Agent -> the task it works on."""
    _votes: dict[tuple[str, int], dict[str, str]] = field(default_factory=dict)

    def read(self, message: Envelope, id: str) -> None:
        story, task, attempt = self.story, message.task, message.attempt
        match message.body:
            case GateFinished(verdict="red", commands=commands):
                story.gate_failures.append(GateFailure(task, attempt, commands))
            case VerdictGiven(vote=vote):
                self._votes.setdefault((task, attempt), {})[message.sender] = vote
            case ChangesRequested(source="review", findings=findings):
                story.rejections.append(Rejection(task, attempt, findings, self._votes.get((task, attempt), {})))
            case HandInRefused(rule=rule, path=path):
                story.refusals.append(Refusal(task, attempt, rule, path))
            case BlockerRaised(what=what):
                story.blockers.append(Blocker(task, message.sender, what))
            case BlockerResolved(answer=answer):
                story.blockers = [replace(one, answer=answer) if _open(one, task) else one for one in story.blockers]
            case TaskAssigned():
                story.blockers = [replace(one, came_back=True) if _open(one, task) else one for one in story.blockers]
            case TaskAccepted():
                self._began(message.sender, task)
            case PromotionChanged(new=new):
                story.promoted = new
            case FeedbackLogged(log=log) if log == message.sender:
                story.logged.setdefault(log, []).append(id)
            case MessageRefused(refused_kind=kind, refused_sender=sender, reason=reason):
                story.oddities.append(f"{kind} of {sender} was refused: {reason}")
        if isinstance(message.body, HANDS_BACK):
            self._hands_on.pop(message.sender, None)

    def _began(self, agent: str, task: str) -> None:
        self.story.at_once |= {frozenset({task, other}) for name, other in self._hands_on.items() if name != agent}
        self._hands_on[agent] = task
        self.story.blockers = [
            replace(one, meanwhile=(*one.meanwhile, task)) if one.agent == agent and not one.came_back else one
            for one in self.story.blockers
        ]


def _open(blocker: Blocker, task: str) -> bool:
    return blocker.task == task and not blocker.came_back
