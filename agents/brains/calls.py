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


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


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


Record = Annotated[CallRecord | ToolRecord, Field(discriminator="kind")]
RECORD: TypeAdapter[CallRecord | ToolRecord] = TypeAdapter(Record)


def digest_of(value: JsonValue) -> str:
    """32 hex digits over a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class CallLog(Protocol):
    """Read once from its beginning, then written at its end."""

    def next_call(self, digest: str) -> CallRecord | None:
        """The recorded call that comes next. None: nothing is recorded from here on, and the call is to be made.

        What is recorded here with another digest belongs to another conversation: the log is cut from here on.
        """
        ...

    def next_tool(self, digest: str) -> ToolRecord | None:
        """The recorded tool result that comes next; else as `next_call`."""
        ...

    def append(self, record: CallRecord | ToolRecord) -> None:
        """Write a record down; it is on disk when this returns.

        Raises:
            BrainError: It could not be written.
        """
        ...
