"""The call log of one attempt or one review: every model call and tool result, written down before it is used.

After a crash the same attempt finds its log again: a recorded call is returned instead of made, so it is paid once. A
recorded tool that changes the clone is executed again, for the clone was reset, and the model sees the recorded result.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from callboard.agents.brains.budget import Usage
from callboard.bus.messages import ParkCause


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class About(_Record):
    """What a conversation is about, as far as it is the same at another place and another time."""

    key: str
    """The task's: ids begin anew with each run."""
    agent: str
    attempt: int
    round: int = 0
    """Of a review, from 1; 0 = an attempt."""
    asked: str
    """Digest of the task as it was asked for."""
    change: str = ""
    """Digest of the change that a review judges; "" = none."""


class CallRecord(_Record):
    """One request to a model, and the whole of what came back."""

    kind: Literal["call"] = "call"
    digest: str
    """Of the request: what was said so far, and the tools that were offered."""
    model: str
    """Who answered: a name of `[models.NAME]`."""
    response: JsonValue
    """As the brain that wrote it reads it back."""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    usd: Decimal | None = None
    """None = unknown."""
    reservation: str = ""
    """What was held back for it in the budget; "" = nothing."""
    duration_s: float
    at: datetime

    @property
    def usage(self) -> Usage:
        return Usage(
            input_tokens=self.input_tokens,
            output_tokens=self.output_tokens,
            cached_tokens=self.cached_tokens,
            usd=self.usd,
            cache_write_tokens=self.cache_write_tokens,
        )


class ToolRecord(_Record):
    """One tool that a model called, and what it was told."""

    kind: Literal["tool"] = "tool"
    digest: str
    """Of its id, name and arguments."""
    name: str
    arguments: JsonValue
    """As the model gave them: an object, or a text where it was none."""
    result: str
    ok: bool
    """False: the result says what was wrong."""
    is_bad: bool = False
    """The call itself was wrong, so nothing was done."""
    duration_s: float
    at: datetime


class BeginRecord(_Record):
    """What a conversation with a model begins with; or, where it goes on after a parking, what the model is told then."""

    kind: Literal["begin"] = "begin"
    instructions: str
    prompt: str
    notes: tuple[str, ...] = ()
    """What was learnt before, as the model was told it."""
    resumes: str = ""
    """The log of the attempt that was parked, by its file's name; "" = it goes on from none."""
    about: About | None = None
    at: datetime

    @property
    def digest(self) -> str:
        return digest_of([self.instructions, self.prompt, *self.notes])


class RoomRecord(_Record):
    """From here on the model sees a line instead of these tools' results, for all of it was more than it takes."""

    kind: Literal["room"] = "room"
    left_out: tuple[str, ...]
    """Ids of tool calls."""
    tokens: int
    """What the next call would have sent, estimated."""
    limit: int
    """What it may send, from here on."""
    at: datetime


class ParkRecord(_Record):
    """The attempt was parked here. As a log's last record: the next attempt goes on from it."""

    kind: Literal["parked"] = "parked"
    cause: ParkCause
    detail: str
    at: datetime


class EventRecord(_Record):
    """Something that cost nothing by itself: an agent CLI said something, had trouble, came to its end."""

    kind: Literal["event"] = "event"
    name: str
    """Who said it, or what it was."""
    text: str
    calls: tuple[str, ...] = ()
    """Tools that were called: name and arguments."""
    ok: bool = True
    duration_s: float = 0.0
    at: datetime


Record = CallRecord | ToolRecord | BeginRecord | RoomRecord | ParkRecord | EventRecord
RECORD: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="kind")])


def digest_of(value: JsonValue) -> str:
    """32 hex digits over a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class CallLog(Protocol):
    """Read once from its beginning, then written at its end."""

    @property
    def is_past(self) -> bool:
        """Whether what comes next was done by an attempt before this one, whose work is in the clone already."""
        ...

    def next_begin(self, wanted: BeginRecord) -> BeginRecord | None:
        """What the conversation begins with, or is told here because it goes on here. None: nothing is said here.

        Where nothing is recorded yet it is `wanted`, written down; what is recorded with another digest is cut.
        """
        ...

    def next_call(self, digest: str) -> CallRecord | None:
        """The recorded call that comes next. None: nothing is recorded from here on, and the call is to be made.

        What is recorded here with another digest belongs to another conversation: the log is cut from here on.
        """
        ...

    def next_tool(self, digest: str) -> ToolRecord | None:
        """The recorded tool result that comes next; else as `next_call`."""
        ...

    @property
    def is_live(self) -> bool:
        """Whether nothing is recorded from here on."""
        ...

    def next_room(self) -> RoomRecord | None:
        """What is left out here; None = nothing is."""
        ...

    def append(self, record: Record) -> None:
        """Write a record down; it is on disk when this returns.

        Raises:
            BrainError: It could not be written.
        """
        ...
