"""Makes a conversation shorter that is longer than its model takes. Pure: the same conversation is made shorter alike.

The rule: results of tools give way to a line that says how to get them back, from the newest of the old ones backwards, until
half of what may be sent is free. So what stands before the first line stays as it was, and the provider's cache of it too;
and it is rarely done, for each time costs the cache of what comes after. The last turns' results stay whole, all but the
newest one's where that is not enough; what the model itself said always does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ToolCallPart,
    ToolReturnPart,
)

from callboard.agents.brains.model.calling import BYTES_PER_TOKEN
from callboard.agents.brains.model.using import shown

KEPT_TURNS = (4, 1)
"""Turns at the end whose results stay; the second where the first leaves too little to give way."""
SHORTEST = 600
"""Characters; a shorter result takes little more than the line that would stand for it."""
MAX_SHOWN = 200
LEFT_OUT = "[left out to make room: "


@dataclass(frozen=True, slots=True)
class Window:
    """How much a model takes."""

    context_tokens: int
    """What is sent and what comes back, together."""
    reply_tokens: int
    """The longest reply."""

    @property
    def limit(self) -> int:
        """Tokens that may be sent."""
        return max(self.context_tokens - self.reply_tokens, self.context_tokens // 2)


def to_leave_out(messages: Sequence[ModelMessage], tokens: int, limit: int) -> tuple[str, ...]:
    """Ids of the tool calls whose results give way, so that half of the limit is free; () = there are none.

    Args:
        tokens: What all of the messages take.
        limit: What may be sent.
    """
    for kept in KEPT_TURNS:
        chosen, left = [], tokens
        for part in reversed(list(_old_results(messages, kept))):
            if left <= limit // 2:
                break
            chosen.append(part.tool_call_id)
            left -= tokens_in(part)
        if left <= limit:
            return tuple(chosen)
    return tuple(chosen)


def without(messages: Sequence[ModelMessage], ids: Sequence[str]) -> list[ModelMessage]:
    """The messages with a line in place of each of these results."""
    calls = {part.tool_call_id: part for message in messages for part in _calls(message)}
    left_out = frozenset(ids)

    def shorter(message: ModelMessage) -> ModelMessage:
        if not isinstance(message, ModelRequest):
            return message
        return replace(message, parts=[_part(part) for part in message.parts])

    def _part(part: ModelRequestPart) -> ModelRequestPart:
        if not isinstance(part, ToolReturnPart) or part.tool_call_id not in left_out:
            return part
        if str(part.content).startswith(LEFT_OUT):
            return part
        line = _line(part, calls.get(part.tool_call_id))
        return ToolReturnPart(part.tool_name, line, part.tool_call_id, outcome=part.outcome)

    return [shorter(message) for message in messages]


def tokens_in(part: ToolReturnPart) -> int:
    """Of a result; few, so that enough of them give way."""
    return len(str(part.content).encode()) // (BYTES_PER_TOKEN + 1)


def _old_results(messages: Sequence[ModelMessage], kept: int) -> Iterator[ToolReturnPart]:
    requests = [message for message in messages if isinstance(message, ModelRequest)]
    for message in requests[:-kept]:
        for part in message.parts:
            if isinstance(part, ToolReturnPart) and len(str(part.content)) >= SHORTEST:
                yield part


def _calls(message: ModelMessage) -> list[ToolCallPart]:
    if not isinstance(message, ModelResponse):
        return []
    return [part for part in message.parts if isinstance(part, ToolCallPart)]


def _line(part: ToolReturnPart, call: ToolCallPart | None) -> str:
    text = str(part.content)
    asked = shown(call)[:MAX_SHOWN] if call else part.tool_name
    again = "run it again" if part.tool_name == "run" else f"call {part.tool_name} again"
    lines = text.count("\n") + 1
    return f"{LEFT_OUT}{asked!r} gave {lines:,} lines, {len(text):,} characters; {again} if you need it]"
