"""The one envelope that carries every message, and what handlers write before a message has an id.

Ids: what starts a chain gets a new time-ordered id; what a handler's outcome sends gets uuid5(handled id, n); what it
emits while it works gets uuid5(handled id, delivery count, n). A repeated commit so repeats its ids.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, SerializeAsAny, ValidationError, model_validator

from callboard.bus.board import Change
from callboard.bus.body import KINDS, Body
from callboard.bus.errors import BadMessage, TooLarge, UnknownKind
from callboard.bus.redaction import Redactor

EXECUTED = frozenset({"key", "depends_on", "paths", "checks", "landed", "again"})
"""Fields of a body that people wrote and programs act on: they stay, letter by letter. No brain fills them."""
BODY = {"body"}
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
JOURNAL = "journal"
"""The recipient of what is only written down: it reaches the journal and no inbox."""


MOST_BYTES = 4_000_000
"""Of one message, as it is sent. Reading one as long takes some 50 ms, in which its reader does nothing else."""
MOST_READ_BYTES = MOST_BYTES * 5 // 4
"""Of one message, as it is read: what stands in for secrets may be longer than they are."""


def new_id() -> str:
    """A time-ordered id for what starts a chain (the layout of UUID version 7)."""
    ms = time.time_ns() // 1_000_000
    raw = bytearray(ms.to_bytes(6, "big") + os.urandom(10))
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return str(uuid.UUID(bytes=bytes(raw)))


def is_uuid(text: str) -> bool:
    return UUID.fullmatch(text) is not None


def new_trace() -> str:
    """A W3C traceparent that starts a trace."""
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"


def trace_id(trace: str) -> str:
    """The trace that a traceparent names, 32 hexadecimal digits; "" = it names none."""
    found = TRACEPARENT.fullmatch(trace)
    return found[1] if found else ""


def parent_id(trace: str) -> str:
    """The span that a traceparent names, 16 hexadecimal digits; "" = it names none."""
    found = TRACEPARENT.fullmatch(trace)
    return found[2] if found else ""


@lru_cache(1_000)
def task_trace(run: str, task: str) -> str:
    """The traceparent of all that is said about a task: one trace for each, whoever says it and however often."""
    drawn = hashlib.sha256(f"callboard {run}/{task}".encode()).hexdigest()
    return f"00-{drawn[:32]}-{drawn[32:48]}-01"


class Envelope(BaseModel):
    """One message on its way. JSON on the wire; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    run: str
    kind: str
    version: int
    sender: str
    recipient: str
    """An inbox's name, or `journal`."""
    task: str = ""
    """The task's id on the board, such as `T-7`; "" when it is about none."""
    in_reply_to: str = ""
    attempt: int = 0
    """The task's attempt it belongs to, from 1; 0 when it belongs to none."""
    trace: str = ""
    """W3C traceparent: of its task, where it is about one."""
    sent_at: AwareDatetime
    body: SerializeAsAny[Body]

    @model_validator(mode="before")
    @classmethod
    def _read_body(cls, data: Any) -> Any:
        if not isinstance(data, dict) or isinstance(data.get("body"), Body):
            return data
        kind, version = data.get("kind"), data.get("version")
        body_class = KINDS.get((str(kind), version if isinstance(version, int) else -1))
        if body_class is None:
            raise UnknownKind(f"kind {kind!r} version {version!r} is unknown to this program; is a newer one running?")
        return {**data, "body": body_class.model_validate(data.get("body"))}

    @classmethod
    def decode(cls, raw: str | bytes) -> Self:
        """Read one from its JSON.

        Raises:
            BadMessage: It is not an envelope of this vocabulary (UnknownKind when only the kind is unknown).
        """
        try:
            return cls.model_validate_json(raw)
        except (ValidationError, ValueError) as error:
            raise BadMessage(f"not a message: {str(error)[:500]}") from error

    def encode(self, redactor: Redactor | None = None) -> str:
        """Its JSON, with no secret in its body where there is a redactor.

        Raises:
            TooLarge
        """
        body = self.body.model_dump_json()
        # a character has 4 bytes at most
        if 4 * len(body) > MOST_BYTES and (size := len(body.encode())) > MOST_BYTES:
            raise TooLarge(
                f"{self.kind} for {self.recipient} has {size:,} bytes, and a message may have {MOST_BYTES:,}: nothing was "
                "sent. Commit what is large to a file, and say where it is"
            )
        if redactor is not None:
            body = redactor.document(body, but=EXECUTED)
        return f'{self.model_dump_json(exclude=BODY)[:-1]},"body":{body}}}'


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has an id: what handlers return and emit."""

    recipient: str
    body: Body
    task: str = ""
    attempt: int = 0
    inherits: bool = True
    """Where it names no task, it is about its cause's; False = it is about none."""

    def stamp(self, *, id: str, run: str, sender: str, now: datetime, cause: Envelope | None = None) -> Envelope:
        """Make it an envelope; its task, or else a cause, gives it the trace; the cause what the draft inherits."""
        about = cause if self.inherits else None
        task = self.task or (about.task if about else "")
        return Envelope(
            id=id,
            run=run,
            kind=self.body.kind,
            version=self.body.version,
            sender=sender,
            recipient=self.recipient,
            task=task,
            in_reply_to=cause.id if cause else "",
            attempt=self.attempt or (about.attempt if about else 0),
            trace=task_trace(run, task) if task else cause.trace if cause else new_trace(),
            sent_at=now.astimezone(UTC),
            body=self.body,
        )


@dataclass(frozen=True, slots=True)
class Timer:
    """A message that is sent when its time has come, by the server's clock."""

    after: timedelta
    draft: Draft
    key: str = ""
    """Takes the place of the run's timer with the same key, if that one waits still; "" = of none."""


def outcome_id(handled: str, n: int) -> str:
    """Id of the n-th message (from 0) of an outcome; the same whenever the commit is repeated."""
    return str(uuid.uuid5(uuid.UUID(handled), str(n)))


def emitted_id(handled: str, deliveries: int, n: int) -> str:
    """Id of the n-th message emitted during one delivery; a second delivery's do not collide with the first's."""
    return str(uuid.uuid5(uuid.UUID(handled), f"{deliveries}/{n}"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What handling one message leads to; committed in one step with its ack."""

    messages: tuple[Draft, ...] = ()
    changes: tuple[Change, ...] = ()
    timers: tuple[Timer, ...] = ()
    cancelled: tuple[str, ...] = ()
    """Keys of timers that are taken away, where they wait still; before `timers` are set."""
    guards: tuple[tuple[str, int], ...] = ()
    """Board fields that must still have these versions although the outcome does not change them."""
