"""Spans from a journal. Pure: entries in, spans that have ended out.

| span            | from                                   | to                                        | of               |
|-----------------|----------------------------------------|-------------------------------------------|------------------|
| task T-7        | somebody works on it                   | the board has it ended                    | the manager      |
| attempt, gate, review, merge, deployment | the request is sent | its handling is committed, or given up | who handled it |
| chat MODEL      | the call is reserved                   | it is settled                             | who called       |

A task's trace and its root are those of the traceparent that every message about it carries (bus/envelope.py). All other ids are
drawn from the message's or the call's, so that what is told twice is the same span twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from callboard.agents.brains.settings import KEYS
from callboard.bus.board import ENDED
from callboard.bus.caps import in_usd
from callboard.bus.envelope import parent_id, task_trace, trace_id
from callboard.bus.journal import JournalEntry, PaidCall
from callboard.bus.messages import Envelope

Value = str | int
Model = tuple[str, str]
"""A provider, by the conventions' name, and the model as it calls it."""
WORK: Mapping[str, str] = {
    "task.assigned": "attempt",
    "gate.requested": "gate",
    "review.requested": "review",
    "synthesis.requested": "review",
    "vote.requested": "review",
    "consult.requested": "consult",
    "merge.requested": "merge",
    "land.requested": "merge",
    "promotion.requested": "promotion",
    "deployment.requested": "deployment",
    "release_review.requested": "review",
}
"""Requests that take time -> what their span is called."""
SAYS = ("outcome", "verdict", "vote", "step", "state")
"""Words of a closed set that an answer may hold; no text of anybody is among them."""
WAITS = ("queued", "blocked")
"""States in which nobody works on a task."""
_TASK = "task:"


@dataclass(frozen=True, slots=True)
class Span:
    trace: str
    """32 hexadecimal digits; `id` and `parent` have 16."""
    id: str
    parent: str
    """"" = it is the root."""
    name: str
    agent: str
    """In whose process it happened."""
    begins: datetime
    ends: datetime
    kind: Literal["internal", "client"] = "internal"
    error: str = ""
    """The kind of error that it ended with, of a closed set; "" = none."""
    attributes: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Begun:
    envelope: Envelope
    at: datetime


def span_id(of: str) -> str:
    return hashlib.sha256(of.encode()).hexdigest()[:16]


class Spans:
    """Of one run. Give it every entry in order: `take`.

    Args:
        models: By the name that calls are priced as (`anthropic:claude-opus-4-5`).
        metered: Agents whose call is reserved ahead of a command line's own: theirs that cost nothing was never made.
    """

    def __init__(
        self, run: str, models: Mapping[str, Model] | None = None, metered: frozenset[str] = frozenset()
    ) -> None:
        self._run = run
        self._models = models or {}
        self._metered = metered
        self._tasks: dict[str, datetime] = {}
        """Tasks that have begun and not ended."""
        self._work: dict[str, _Begun] = {}
        """By the message's id."""
        self._calls: dict[str, datetime] = {}

    def take(self, entry: JournalEntry) -> Iterator[Span]:
        """What has ended with this entry."""
        if entry.step in ("commit", "bury") and (begun := self._work.pop(entry.cause, None)) is not None:
            yield self._worked(begun, entry)
        for message in entry.messages:
            if message.kind in WORK:
                self._work[message.id] = _Begun(message, entry.at)
            if message.kind == "task.assigned":
                self._tasks.setdefault(message.task, entry.at)
        if entry.call is not None:
            self._calls[entry.call.id] = entry.at
        if entry.paid is not None:
            yield from self._paid(entry.paid, entry.at)
        for change in entry.changes:
            if change.field.startswith(_TASK):
                yield from self._moved(change.field.removeprefix(_TASK), change.doc, entry.at)

    def _worked(self, begun: _Begun, entry: JournalEntry) -> Span:
        message = begun.envelope
        said: dict[str, Value] = {"callboard.message.id": message.id, "callboard.message.kind": message.kind}
        answers = [answer for answer in entry.messages if answer.kind in _ANSWERS]
        for answer in answers:
            words = {name: getattr(answer.body, name, None) for name in SAYS}
            said |= {f"callboard.{name}": word for name, word in words.items() if isinstance(word, str) and word}
            said["callboard.answer"] = answer.kind
        error = "given_up" if entry.step == "bury" else _error(answers)
        name = WORK[message.kind]
        return Span(
            trace=trace_id(message.trace),
            id=span_id(message.id),
            parent=parent_id(message.trace),
            name=f"{name} {message.task}".strip(),
            agent=message.recipient,
            begins=begun.at,
            ends=entry.at,
            error=error,
            attributes=self._about(message.task, message.attempt, message.recipient) | said,
        )

    def _paid(self, paid: PaidCall, at: datetime) -> Iterator[Span]:
        call, spent, begins = paid.call, paid.paid, self._calls.pop(paid.call.id, at)
        if not spent.calls and call.agent in self._metered:
            return
        provider, model = self._models.get(call.model) or _split(call.model)
        within = next(
            (one.envelope for one in reversed(self._work.values()) if _is_of(one.envelope, call.agent, call.task)), None
        )
        trace = within.trace if within else task_trace(self._run, call.task)
        about: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.agent.name": call.agent,
            "gen_ai.usage.input_tokens": spent.input_tokens,
            "gen_ai.usage.output_tokens": spent.output_tokens,
            "gen_ai.usage.cache_read.input_tokens": spent.cached_tokens,
        }
        if spent.calls > spent.unpriced:
            about["callboard.cost_usd"] = f"{in_usd(spent.micro_usd):f}"
        yield Span(
            trace=trace_id(trace),
            id=span_id(call.id),
            parent=span_id(within.id) if within else parent_id(trace),
            name=f"chat {model}",
            agent=call.agent,
            begins=begins,
            ends=at,
            kind="client",
            error="" if spent.calls else "refused",
            attributes=self._about(call.task, within.attempt if within else 0, call.agent) | about,
        )

    def _moved(self, task: str, doc: str, at: datetime) -> Iterator[Span]:
        """It begins, or has ended; one that ended without a beginning was never worked on."""
        state = json.loads(doc).get("state", "")
        if state not in ENDED:
            if state not in WAITS:
                self._tasks.setdefault(task, at)
            return
        if task not in self._tasks:
            return
        trace = task_trace(self._run, task)
        yield Span(
            trace=trace_id(trace),
            id=parent_id(trace),
            parent="",
            name=f"task {task}",
            agent="manager",
            begins=self._tasks.pop(task),
            ends=at,
            error="failed" if state == "failed" else "",
            attributes=self._about(task, 0, "manager") | {"callboard.state": state},
        )

    def _about(self, task: str, attempt: int, agent: str) -> dict[str, Value]:
        known = {"callboard.run": self._run, "callboard.agent": agent, "callboard.task": task}
        return {name: value for name, value in known.items() if value} | (
            {"callboard.attempt": attempt} if attempt else {}
        )


def _error(answers: Iterable[Envelope]) -> str:
    """Why an attempt failed, in a word."""
    failed = next((answer for answer in answers if answer.kind == "attempt.failed"), None)
    return str(getattr(failed.body, "cause", "") or "failed") if failed else ""


def _split(priced_as: str) -> Model:
    """Of a model that callboard.toml does not name, as a command line reports it."""
    provider, found, model = priced_as.partition(":")
    return (provider, model) if found and provider in KEYS else ("unknown", priced_as)


def _is_of(envelope: Envelope, agent: str, task: str) -> bool:
    return envelope.recipient == agent and envelope.task == task


_ANSWERS = frozenset(
    {
        "evidence.submitted",
        "attempt.failed",
        "attempt.parked",
        "attempt.stopped",
        "blocker.raised",
        "question.asked",
        "gate.finished",
        "verdict.given",
        "synthesis.given",
        "vote.given",
        "consult.answered",
        "merge.prepared",
        "land.finished",
        "promotion.finished",
        "deployment.changed",
        "release_review.given",
    }
)
"""What ends the work of a request."""
