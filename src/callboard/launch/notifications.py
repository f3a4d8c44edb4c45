"""What people are told outside of a terminal, read off the journal; pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

from callboard.bus.board import Board, BudgetDoc, RunDoc
from callboard.bus.caps import What, called, shown
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import RosterChanged
from callboard.bus.questions import ANYBODY, QuestionDoc
from callboard.bus.states import NOTICE
from callboard.feedback.facts import time_fact
from callboard.settings.notify import Event

LONGEST = 1_000
"""Characters of one notification: what a chat or a text message still shows."""
ENDS = ("succeeded", "failed", "cancelled")
_BY_PEOPLE = ("operator", "budget", "question", "approval")
"""Pauses that a person made, or that are told as a question."""
_MENTION = re.compile(r"@(?=everyone|here|channel|all\b)|<(?=[!@#])", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Notification:
    """One thing that people are told."""

    key: str
    """The same for the same event, whoever sends it again."""
    event: Event
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """How far the journal was read, and what was made of it."""

    seq: int = 0
    run: str = ""
    """The run's state and why."""
    caps: tuple[str, ...] = ()
    """Caps of which people were told that most is used."""

    @classmethod
    def of(cls, board: Board, seq: int) -> Told:
        """Of a run that was under way before anybody was to be told: only what is still to be done is told."""
        return cls(seq, _run_key(board.run), tuple(map(_cap_key, board.budget.noticed.items())))


def follow(told: Told, entry: JournalEntry) -> tuple[Told, tuple[Notification, ...]]:
    """The next entry of the journal. The same entry again says the same again, under the same keys."""
    found: list[Notification] = [*_dead_letter(entry), *_down(entry)]
    for change in entry.changes:
        kind = change.field.partition(":")[0]
        if kind not in ("question", "run", "budget", "deployment"):
            continue
        doc = change.change().doc
        if isinstance(doc, QuestionDoc):
            found += _question(doc)
        elif isinstance(doc, DeploymentDoc):
            found += _rollback(doc)
        elif isinstance(doc, BudgetDoc):
            fresh = [item for item in doc.noticed.items() if _cap_key(item) not in told.caps]
            found += map(_much, fresh)
            told = replace(told, caps=(*told.caps, *map(_cap_key, fresh)))
        elif isinstance(doc, RunDoc):
            found += _run(told, doc, entry.seq)
            told = replace(told, run=_run_key(doc))
    return replace(told, seq=entry.seq), tuple(found)


def open_questions(board: Board) -> tuple[Notification, ...]:
    """What waits for people when somebody begins to tell them."""
    return tuple(asked(doc) for doc in board.all(QuestionDoc) if doc.state == "open")


def _question(doc: QuestionDoc) -> Iterator[Notification]:
    if doc.state == "open" and doc.version == 1:
        yield asked(doc)
    elif doc.state == "open" and doc.is_overdue:
        yield Notification(f"{doc.id} overdue", "question", f"{doc.id} is overdue", _how_to_answer(doc))


def asked(doc: QuestionDoc) -> Notification:
    """A question with the ways to answer it."""
    what = (
        f"the budget of {called(doc.scope)} is spent"
        if doc.scope
        else "needs a yes or a no"
        if doc.permits
        else "needs an answer"
    )
    title = f"{doc.id}: {what}" if doc.scope else f"{doc.id} ({doc.task or 'the run'}) {what}"
    return Notification(
        f"{doc.id} asked", "budget" if doc.scope else "question", title, f"{short(doc.text)}\n{_how_to_answer(doc)}"
    )


def _how_to_answer(doc: QuestionDoc) -> str:
    who = "" if ANYBODY in doc.may_answer else f" (as {' or '.join(doc.may_answer)})"
    default = (
        f"\nBy itself it takes {doc.default!r} at {time_fact(doc.deadline)}." if doc.default and doc.deadline else ""
    )
    return f"Answer{who}: {answering(doc)}{default}"


def answering(doc: QuestionDoc) -> str:
    """The command that answers it, as it may be typed: options hold blanks and marks that a shell reads."""
    words = [shlex.quote(option) for option in doc.options] or ['"..."']
    others = f", or with {', '.join(words[1:])}" if words[1:] else ""
    return f"callboard answer {doc.id} {words[0]}{others}"


def _much(item: tuple[str, int]) -> Notification:
    (key, cap) = item
    scope, _, what = key.rpartition(" ")
    title = f"{called(scope)} has used {NOTICE} % of its {what}"
    text = f"Of {shown(cast(What, what), cap)}. At the cap you are asked; `callboard costs` says what was spent."
    return Notification(f"cap {_cap_key(item)}", "budget", title, text)


def _cap_key(item: tuple[str, int]) -> str:
    return f"{item[0]} {item[1]}"


def _run_key(run: RunDoc) -> str:
    return f"{run.state} {run.reason}".strip()


def _run(told: Told, run: RunDoc, seq: int) -> Iterator[Notification]:
    """Its end, and a pause that is not a person's own."""
    is_news = run.state in ENDS or (run.state == "paused" and run.reason not in _BY_PEOPLE)
    if not is_news or told.run == _run_key(run):
        return
    way = {
        "succeeded": f"`callboard promote` moves {run.target} to {run.integration}",
        "failed": "`callboard status` says what failed and how it goes on",
        "paused": f"`callboard {'launch' if run.waits else 'resume'}` goes on once that is mended",
    }.get(run.state, "")
    text = "\n".join(filter(None, (short(run.detail), way)))
    state = ": ".join(filter(None, (run.state, run.reason)))
    yield Notification(
        f"run {_run_key(run)} {seq}",
        "run",
        f"run {run.id} {'is' if run.state == 'paused' else 'has'} {state}",
        text,
    )


def _rollback(doc: DeploymentDoc) -> Iterator[Notification]:
    """How it ended, said once: what is over never changes again."""
    if not doc.is_over:
        return
    if doc.state == "rolled_back":
        text = f"{short(doc.reason)}\n{_after_rollback(doc)}"
        yield Notification(f"{doc.id} rolled back", "rollback", f"{doc.id} is rolled back in {doc.environment}", text)
    elif doc.kind == "restore":
        title = f"{doc.environment} is back at commit {doc.commit[:12]} ({doc.id})"
        text = f"{doc.by or 'A person'} wanted the release before.\n`callboard deployments` shows what serves"
        yield Notification(f"{doc.id} restored", "rollback", title, text)


def _after_rollback(doc: DeploymentDoc) -> str:
    shows = "`callboard deployments` shows how it went"
    if doc.task:
        return f"Next: {doc.next}; {doc.task} was opened for it. {shows}"
    command = "rollback" if doc.kind == "restore" else "deploy"
    return f"Next: {doc.next}. Once the reason is seen to, `callboard {command} --env {doc.environment}`; {shows}"


def _dead_letter(entry: JournalEntry) -> Iterator[Notification]:
    if entry.step != "bury" or entry.dead is None:
        return
    text = f"{short(entry.dead.reason)}\n`callboard dead show {entry.seq}` shows it; then retry or drop it"
    title = f"a message for {entry.dead.inbox} could not be handled"
    yield Notification(f"dead {entry.seq}", "dead-letter", title, text)


def _down(entry: JournalEntry) -> Iterator[Notification]:
    for message in entry.messages:
        if isinstance(message.body, RosterChanged) and message.body.down:
            names = ", ".join(message.body.down)
            text = f"{short(message.body.reason)}\n`callboard logs {message.body.down[0]}` says more; a new launch starts it again"
            yield Notification(f"down {message.id}", "agent-down", f"{names} is down", text)


def short(text: str) -> str:
    """Hostile text for services of every kind: nobody is called by it, nothing is reversed, and it ends."""
    clean = _MENTION.sub(lambda found: found.group() + "\u200b", _CONTROL.sub(" ", text)).strip()
    return clean if len(clean) <= LONGEST else f"{clean[: LONGEST - 2]} …"
