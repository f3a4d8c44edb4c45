"""Who did what when, folded from the journal: one bar for each attempt, gate, review, consult, merge and step of a deployment; pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from callboard.bus.journal import JournalEntry
from callboard.bus.messages import (
    ConsultAnswered,
    ConsultRequested,
    DeploymentChanged,
    DeploymentRequested,
    Envelope,
    GateFinished,
    GateRequested,
    LandFinished,
    LandRequested,
    MergePrepared,
    MergeRequested,
    ReleaseReviewGiven,
    ReleaseReviewRequested,
    ReviewRequested,
    SynthesisGiven,
    SynthesisRequested,
    TaskClosed,
    VerdictGiven,
    VoteGiven,
    VoteRequested,
)

KEPT = 10_000
"""Bars that have ended, of one run: some 3 MB."""
HANDS = {"gate": "manager: gates", "land": "manager: merges"}
"""Recipients that are the manager's own."""
BEGINS = (
    "task.assigned",
    "task.accepted",
    "gate.requested",
    "merge.requested",
    "land.requested",
    "deployment.requested",
)
ASKS = ("review.requested", "synthesis.requested", "vote.requested", "consult.requested", "release_review.requested")
ATTEMPT_ENDS = {
    "evidence.submitted": "handed in",
    "blocker.raised": "blocked",
    "attempt.failed": "failed",
    "attempt.parked": "parked",
    "attempt.stopped": "stopped",
}
"""What an agent says at the end of an attempt, and what that is for people."""
ENDS = (*ATTEMPT_ENDS, "task.closed", "agent.stopped", "gate.finished", "merge.prepared")
ANSWERS = ("verdict.given", "synthesis.given", "vote.given", "consult.answered", "release_review.given")
OTHERS = ("land.finished", "deployment.changed")
SAYS = re.compile(rf'"kind": ?"(?:{"|".join(map(re.escape, (*BEGINS, *ASKS, *ENDS, *ANSWERS, *OTHERS)))})"')
"""Stands in the JSON of every entry that tells something; most entries do not, and need not be read."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that somebody did."""

    number: int
    """In the order in which they began, from 1."""
    lane: str
    """Who did it."""
    what: str
    """attempt, gate, review, consult, merge, landing or deployment."""
    name: str
    """What it is about, for people: `T-3, attempt 2`."""
    task: str
    deployment: str
    began: datetime
    ended: datetime | None = None
    said: str = ""
    """What came of it; "" while it is under way."""


Key = tuple[str, str, str]
"""Lane, what, and which."""


@dataclass(slots=True)
class Story:
    """A run's bars, as far as its journal was read."""

    seq: int = 0
    count: int = 0
    """How many began."""
    under_way: dict[Key, Bar] = field(default_factory=dict)
    ended: deque[Bar] = field(default_factory=lambda: deque(maxlen=KEPT))

    def bars(self, before: int, most: int) -> list[Bar]:
        """The newest that began before the bar of a number, in the order in which they began; 0 = the newest of all."""
        found = [bar for bar in (*self.ended, *self.under_way.values()) if not before or bar.number < before]
        return sorted(found, key=lambda bar: bar.number)[-most:]

    def take(self, entry: JournalEntry) -> None:
        """The next entry; one that was taken before changes nothing."""
        if entry.seq <= self.seq:
            return
        self.seq = entry.seq
        for message in entry.messages:
            self._end(message, entry.at)
            self._begin(message, entry.at)

    def _begin(self, message: Envelope, at: datetime) -> None:
        begun = begins(message)
        if begun is None:
            return
        key, bar = begun
        if key in self.under_way and message.kind == "task.accepted":
            return
        for other in [other for other in self.under_way if other == key or _gives_way(other, key)]:
            self._stop(other, at, "given anew" if other == key else "put aside")
        self.count += 1
        self.under_way[key] = replace(bar, number=self.count, began=at)

    def _end(self, message: Envelope, at: datetime) -> None:
        if message.kind == "agent.stopped":
            for key in [key for key in self.under_way if key[0] == message.sender]:
                self._stop(key, at, "stopped")
            return
        found = ends(message)
        if found is not None:
            self._stop(found[0], at, found[1])

    def _stop(self, key: Key, at: datetime, said: str) -> None:
        bar = self.under_way.pop(key, None)
        if bar is not None:
            self.ended.append(replace(bar, ended=at, said=said))


def _gives_way(other: Key, key: Key) -> bool:
    """An agent makes one attempt at a time."""
    return key[1] == "attempt" and other[:2] == key[:2]


def begins(message: Envelope) -> tuple[Key, Bar] | None:
    """The bar that a message begins; its number and time are not its own."""
    to, task = message.recipient, message.task
    attempt = f"{task}, attempt {message.attempt}"
    match message.body:
        case _ if message.kind in ("task.assigned", "task.accepted"):
            lane = to if message.kind == "task.assigned" else message.sender
            return _bar(lane, "attempt", task, attempt, message)
        case GateRequested() as body:
            name = attempt if body.purpose == "evidence" else f"a stack with {task}"
            return _bar(to, "gate", f"{body.purpose} {task}", name, message)
        case ReviewRequested() | VoteRequested() | SynthesisRequested() as body:
            names = {"vote.requested": f"{attempt}: vote", "synthesis.requested": f"{attempt}: synthesis"}
            return _bar(to, "review", f"{body.review} {_round(message)}", names.get(message.kind, attempt), message)
        case ConsultRequested() as body:
            return _bar(to, "consult", body.consult, f"{task}: consult", message)
        case ReleaseReviewRequested() as body:
            return _bar(to, "review", body.review, body.deployment, message, body.deployment)
        case MergeRequested():
            return _bar(to, "merge", "merge", f"a stack with {task}", message)
        case LandRequested() as body:
            return _bar(to, "landing", body.intent, task, message)
        case DeploymentRequested() as body:
            which, name = f"{body.deployment} {body.number}", f"{body.deployment}: {body.step.replace('_', ' ')}"
            return _bar(to, "deployment", which, name, message, body.deployment)
        case _:
            return None


def _bar(lane: str, what: str, which: str, name: str, message: Envelope, deployment: str = "") -> tuple[Key, Bar]:
    shown = HANDS.get(lane, lane)
    return (shown, what, which), Bar(0, shown, what, name, message.task, deployment, message.sent_at)


def ends(message: Envelope) -> tuple[Key, str] | None:
    """The bar that a message ends, and what came of it."""
    by = HANDS.get(message.sender, message.sender)
    match message.body:
        case _ if message.kind in ATTEMPT_ENDS:
            return (by, "attempt", message.task), ATTEMPT_ENDS[message.kind]
        case TaskClosed() as body:
            return (message.recipient, "attempt", message.task), str(body.state)
        case GateFinished() as body:
            return (by, "gate", f"{body.purpose} {message.task}"), str(body.verdict)
        case VerdictGiven() | VoteGiven() as body:
            return (by, "review", f"{body.review} {_round(message)}"), str(body.vote)
        case SynthesisGiven() as body:
            return (by, "review", f"{body.review} {_round(message)}"), "given"
        case ConsultAnswered() as body:
            return (by, "consult", body.consult), "answered"
        case ReleaseReviewGiven() as body:
            return (by, "review", body.review), "given"
        case MergePrepared() as body:
            return (by, "merge", "merge"), str(body.outcome)
        case LandFinished() as body:
            return (by, "landing", body.intent), str(body.outcome)
        case DeploymentChanged() as body:
            return (by, "deployment", f"{body.deployment} {body.number}"), str(body.outcome)
        case _:
            return None


def _round(message: Envelope) -> str:
    """verdict, synthesis or vote: a reviewer may be asked for more than one in a review."""
    return {"review": "verdict"}.get(word := message.kind.partition(".")[0], word)


def lanes(bars: Iterable[Bar], roles: Mapping[str, str]) -> list[str]:
    """Their lanes: drivers and others by name first, then reviewers, deployment, the manager."""
    order = {"driver": 0, "reviewer": 1, "deployment": 2}
    names = {bar.lane for bar in bars}
    return sorted(names, key=lambda name: (order.get(roles.get(name, ""), 3), name))
