"""What a driver says about an attempt: messages to the manager, and the entry of its own log beside each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callboard.agents.brains.brain import Asked, Blocked, Done, Failed, Parked
from callboard.agents.manager.decision import MANAGER
from callboard.bus.messages import (
    JOURNAL,
    AttemptFailed,
    AttemptParked,
    AttemptStopped,
    BlockerRaised,
    Body,
    Draft,
    EvidenceSubmitted,
    FeedbackLogged,
    LogKind,
    Outcome,
    QuestionAsked,
    TaskAccepted,
    TaskAssigned,
)
from callboard.bus.task import CommandResult, Note
from callboard.feedback.facts import command_fact, commit_fact, time_fact

ANSWERED = ("answer", "canon", "consult")
"""Sources of notes that are an answer."""
MAX_FILES = 1_000
"""Changed paths that evidence names; the commit has them all."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Where unfinished work went."""

    head: str | None = None
    """The commit in the vault; None when there was none to keep."""
    problem: str = ""
    """Why it could not be kept; it is in the clone still."""

    @property
    def facts(self) -> tuple[str, ...]:
        if self.problem:
            return (f"work so far: still in the clone only: {self.problem}",)
        return (f"work so far: `{self.head[:7]}`" if self.head else "work so far: nothing changed",)


@dataclass(frozen=True, slots=True)
class HandIn:
    """What was handed in."""

    head: str | None
    files: tuple[str, ...] = ()
    commands: tuple[CommandResult, ...] = ()
    left_out: tuple[str, ...] = ()
    """Paths and refs in the clone that no commit holds."""
    diff: str = ""
    """As EvidenceSubmitted has it."""


def accepted(agent: str, assigned: TaskAssigned, attempt: int, deliveries: int) -> tuple[Draft, ...]:
    """What is sent when work begins; a second delivery says so, since its entry is another event's."""
    again = f", taken up again after an interruption (delivery {deliveries})" if deliveries > 1 else ""
    begun = f"attempt {attempt} from `{assigned.start[:7]}`{again}"
    briefing = assigned.briefing
    read = f"direction `{briefing.path}`, version {briefing.version}" if briefing.version else ""
    facts = (
        begun,
        *filter(None, [read]),
        *(f"learnt from {note.source}: {_gist(note)}" for note in assigned.notes),
    )
    return (Draft(MANAGER, TaskAccepted(direction=briefing.version)), _entry(agent, "task", assigned.spec.title, facts))


def evidence(agent: str, assigned: TaskAssigned, given: HandIn, it: Done) -> Outcome:
    files, notes = given.files[:MAX_FILES], it.notes
    told = {"diff": given.diff, "commands": given.commands, "issues": it.issues}
    body = EvidenceSubmitted(head=given.head, files=files, notes=notes).model_copy(update=told)
    facts = [commit_fact(given.head, f"{agent}/work", given.files), *map(command_fact, given.commands)]
    facts += [f"in no commit: `{name}`" for name in given.left_out]
    facts += [f"{issue.severity} issue: {issue.title}" for issue in it.issues]
    return _told(body, _entry(agent, "evidence", assigned.spec.title, facts, notes))


def blocked(agent: str, assigned: TaskAssigned, it: Blocked, kept: Kept) -> Outcome:
    body = BlockerRaised(what=it.what, tried=it.tried, needs=it.needs, severity=it.severity, head=kept.head)
    said = {"blocked by": it.what, "tried": it.tried, "needs": it.needs}
    facts = [f"{name}: {text}" for name, text in said.items() if text] + list(kept.facts)
    return _told(body, _entry(agent, "blocker", assigned.spec.title, facts, it.notes if it.notes != it.what else ""))


def asked(agent: str, assigned: TaskAssigned, it: Asked, kept: Kept) -> Outcome:
    body = QuestionAsked(
        text=it.text, options=it.options, default=it.default, within_minutes=it.within_minutes, head=kept.head
    )
    said = {"question": it.text, "options": ", ".join(it.options), "default": it.default}
    facts = [f"{name}: {text}" for name, text in said.items() if text] + list(kept.facts)
    return _told(body, _entry(agent, "question", assigned.spec.title, facts, it.notes if it.notes != it.text else ""))


def failed(agent: str, assigned: TaskAssigned, it: Failed, kept: Kept) -> Outcome:
    body = AttemptFailed(reason=it.reason, head=kept.head, cause=it.cause)
    return _told(body, _entry(agent, "task", f"{assigned.spec.title}: the attempt failed", kept.facts, it.reason))


def parked(agent: str, assigned: TaskAssigned, it: Parked, kept: Kept) -> Outcome:
    body = AttemptParked(cause=it.cause, detail=it.detail, until=it.until, head=kept.head, reached=it.reached)
    until = f" until {time_fact(it.until)}" if it.until else ""
    facts = (f"parked{until}: {it.detail}", *kept.facts)
    return _told(body, _entry(agent, "task", f"{assigned.spec.title}: parked", facts))


def stopped(agent: str, assigned: TaskAssigned, reason: str, kept: Kept) -> Outcome:
    """The manager took the task away; it is told what of it was kept."""
    facts = (f"stopped: {reason}", *kept.facts)
    told = (Draft(MANAGER, AttemptStopped(head=kept.head)),) if kept.head else ()
    return Outcome((*told, _entry(agent, "task", f"{assigned.spec.title}: stopped", facts)))


def _told(body: Body, entry: Draft) -> Outcome:
    return Outcome((Draft(MANAGER, body), entry))


def _entry(agent: str, kind: LogKind, title: str, facts: Sequence[str], text: str = "") -> Draft:
    return Draft(JOURNAL, FeedbackLogged(log=agent, entry=kind, title=title, facts=tuple(facts), text=text))


def _gist(note: Note) -> str:
    """An answer with its question; of what gates and reviews said, the line that says what failed."""
    lines = [line.strip() for line in note.text.splitlines() if line.strip()]
    return " / ".join(lines if note.source in ANSWERED else lines[:1])[:300]
