"""One call to a model: what is asked, what comes back, and who answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import JsonValue, TypeAdapter
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.tools import ToolDefinition

from callboard.agents.brains.budget import Usage
from callboard.agents.brains.calls import digest_of

Heard = Callable[[str], Awaitable[None]]
"""Takes text as it arrives, in pieces."""
BYTES_PER_TOKEN = 3
"""For estimates before a call: English and code have about 4 bytes a token; fewer makes the estimate an upper bound."""
OVERHEAD_TOKENS = 500
"""What providers add of their own to a request with tools: 300 to 500 tokens (Anthropic's documentation of tool use)."""

PATIENCE_S = 15.0
"""Shorter than it takes to prepare the clone again, so that waiting is the cheaper of the two."""

_MESSAGES: TypeAdapter[list[ModelMessage]] = TypeAdapter(list[ModelMessage])
_MESSAGE: TypeAdapter[ModelMessage] = TypeAdapter(ModelMessage)
_NOT_SAID = frozenset({"timestamp", "usage", "run_id", "conversation_id"})
"""What a message carries beside what was said: other in each process."""


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What is asked."""

    task: str
    """The task's id on the board, which the call is paid for."""
    messages: tuple[ModelMessage, ...]
    """The whole conversation so far."""
    tools: tuple[ToolDefinition, ...] = ()
    schema: JsonValue = None
    """A JSON schema that the answer must follow as text; None = the answer is free."""
    patience_s: float = PATIENCE_S
    """The longest that a provider's limit is waited for in the middle of the work; more, and the caller gives up."""

    @property
    def digest(self) -> str:
        """The same for what was said alike, in whichever process."""
        tools: list[JsonValue] = [
            {"name": tool.name, "about": tool.description, "schema": tool.parameters_json_schema} for tool in self.tools
        ]
        return digest_of({"messages": self._said(), "tools": tools, "schema": self.schema})

    @property
    def estimated_tokens(self) -> int:
        """At least as many as are sent, nearly always."""
        sent = len(_MESSAGES.dump_json(list(self.messages))) + sum(len(str(tool)) for tool in self.tools)
        return (sent + len(str(self.schema or ""))) // BYTES_PER_TOKEN + OVERHEAD_TOKENS

    @property
    def parameters(self) -> ModelRequestParameters:
        if not isinstance(self.schema, dict):
            return ModelRequestParameters(function_tools=list(self.tools))
        answer = OutputObjectDefinition(json_schema=self.schema, name="answer")
        return ModelRequestParameters(
            function_tools=list(self.tools), output_mode="native", output_object=answer, allow_text_output=True
        )

    def _said(self) -> list[JsonValue]:
        dumped = _MESSAGES.dump_python(list(self.messages), mode="json")
        return [
            {
                **{key: value for key, value in message.items() if key not in _NOT_SAID},
                "parts": [{key: part[key] for key in part if key not in _NOT_SAID} for part in message["parts"]],
            }
            for message in dumped
        ]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whole."""

    response: ModelResponse
    model: str
    """Who answered: a name of `[models.NAME]`."""
    usage: Usage = field(default_factory=Usage)
    reservation: str = ""
    """What is still held back for it in the budget; settled once the reply is in the call log."""
    duration_s: float = 0.0


class Caller(Protocol):
    """Whoever answers a call: a model at its provider, several of them in their order, a call log in front of them."""

    async def call(self, call: ModelCall, heard: Heard) -> Reply:
        """Make the call; a cancelled one leaves no connection behind.

        Args:
            heard: Gets the text of the reply while it arrives.

        Raises:
            CallFailed: There is no reply.
            BrainParked: There is none now: what could answer is at its limit or cannot be reached.
            BudgetSpent: The call was not made.
        """
        ...


def response_as_json(response: ModelResponse) -> JsonValue:
    value: JsonValue = _MESSAGE.dump_python(response, mode="json")
    return value


def response_from_json(value: JsonValue) -> ModelResponse:
    """Read a recorded response back.

    Raises:
        ValidationError: It is none.
    """
    message = _MESSAGE.validate_python(value)
    if not isinstance(message, ModelResponse):
        raise ValueError(f"expected a model's response, got a {message.kind}")
    return message
