"""What a model is asked and says, the same for three APIs; wire_messages, wire_chat and wire_responses write the answers.

`messages` is Anthropic's `/v1/messages`, `chat` and `responses` are OpenAI's `/v1/chat/completions` and `/v1/responses`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Format = Literal["messages", "chat", "responses"]
PATHS: Mapping[str, Format] = {
    "/v1/messages": "messages",
    "/v1/chat/completions": "chat",
    "/v1/responses": "responses",
}


@dataclass(frozen=True, slots=True)
class ToolCall:
    name: str
    arguments: Mapping[str, object] | str = field(default_factory=dict)
    """A string is sent as it stands: JSON that is none, for instance."""

    @property
    def json(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one answer costs; where the numbers are made up, they are the same for the same request and answer."""

    input: int = 0
    """Cached ones included."""
    output: int = 0
    cached: int = 0
    """Those of the input that were read from the cache."""

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.input + other.input, self.output + other.output, self.cached + other.cached)


@dataclass(frozen=True, slots=True)
class Say:
    """An answer: text, tool calls, or both."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    refuses: bool = False
    """The model declines, in the way its API has for that."""
    cost: Tokens | None = None
    """As whoever thought it up has counted. None: made up."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, the same for all formats."""

    number: int
    """From 1, in the order in which the server got them."""
    format: Format
    body: Mapping[str, Any]
    headers: Mapping[str, str]

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def is_streamed(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def instructions(self) -> str:
        """The system prompt."""
        match self.format:
            case "messages":
                return _text(self.body.get("system", ""))
            case "responses":
                return "\n".join(
                    [str(self.body.get("instructions") or ""), *self._texts("system", "developer")]
                ).strip()
            case "chat":
                return "\n".join(self._texts("system", "developer"))

    @property
    def prompt(self) -> str:
        """All that the user's turns say, oldest first; results of tools are no part of it."""
        return "\n".join(self._texts("user"))

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that may be called."""
        found = [tool.get("function", tool) for tool in self.body.get("tools") or ()]
        return tuple(str(tool.get("name", tool.get("type"))) for tool in found)

    @property
    def results(self) -> tuple[str, ...]:
        """What the tools called so far gave back, oldest first."""
        turns = self._turns()
        match self.format:
            case "messages":
                blocks = [block for turn in turns if isinstance(turn["content"], list) for block in turn["content"]]
                return tuple(_text(block.get("content", "")) for block in blocks if block.get("type") == "tool_result")
            case "chat":
                return tuple(_text(turn.get("content") or "") for turn in turns if turn.get("role") == "tool")
            case "responses":
                outputs = [
                    turn for turn in turns if turn.get("type") in ("function_call_output", "custom_tool_call_output")
                ]
                return tuple(_text(turn["output"]) for turn in outputs)

    def _turns(self) -> list[Mapping[str, Any]]:
        found = self.body.get("input" if self.format == "responses" else "messages") or []
        return [{"role": "user", "content": found}] if isinstance(found, str) else list(found)

    def _texts(self, *roles: str) -> list[str]:
        turns = [turn for turn in self._turns() if turn.get("role") in roles]
        return [text for turn in turns if (text := _text(turn.get("content") or ""))]


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return json.dumps(content)
    return "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)


def pieces(text: str) -> Iterator[str]:
    """A text as a stream brings it."""
    size = max(8, len(text) // 20)
    for start in range(0, len(text), size):
        yield text[start : start + size]


def event(data: Mapping[str, object]) -> bytes:
    """One server-sent event with a type."""
    return f"event: {data['type']}\ndata: {json.dumps(data)}\n\n".encode()
