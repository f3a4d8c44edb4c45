"""The tools that a model may call: what they are named, what they take, what they do. Nothing else is reachable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_ai.tools import ToolDefinition

from callboard.agents.brains.answer import explained
from callboard.agents.brains.brain import RawAnswer, RawVerdict, Result
from callboard.bus.errors import BrainError


class Arguments(BaseModel):
    """What a tool takes; anything else is sent back."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class End:
    """What ends a conversation: the attempt's result, a verdict, or an answer."""

    result: Result | RawVerdict | RawAnswer


class BadCall(BrainError):
    """A tool was called with arguments that it does not take; the model is told, and may try again."""


Said = str | End
Given = TypeVar("Given", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    name: str
    about: str
    """What the model is told it does."""
    schema: Mapping[str, Any]
    """JSON schema of its arguments."""
    call: Callable[[Mapping[str, object]], Awaitable[Said]]
    """Raises BadCall for arguments that it does not take, BrainError for what could not be done."""
    changes: bool = False
    """It changes the clone, so it is executed again when an attempt resumes in a clone that was reset."""

    @property
    def definition(self) -> ToolDefinition:
        # not strict: strictness would make every argument required
        return ToolDefinition(
            name=self.name, description=self.about, parameters_json_schema=dict(self.schema), strict=False
        )


def tool(
    name: str, about: str, takes: type[Given], does: Callable[[Given], Awaitable[Said]], *, changes: bool = False
) -> Tool:
    """A tool whose arguments are checked before it does anything."""

    async def call(arguments: Mapping[str, object]) -> Said:
        try:
            given = takes.model_validate(arguments)
        except ValidationError as error:
            raise BadCall(f"{name} was not called: {explained(error)}") from error
        return await does(given)

    return Tool(name, about, _schema(takes), call, changes)


def by_name(tools: Sequence[Tool]) -> dict[str, Tool]:
    found = {each.name: each for each in tools}
    assert len(found) == len(tools), "two tools of one name"
    return found


def _schema(takes: type[BaseModel]) -> dict[str, Any]:
    schema = takes.model_json_schema()
    schema.pop("description", None)  # it is about the code
    return _untitled(schema)


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """Without pydantic's titles, which repeat the keys."""
    kept = {key: value for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return {
        key: _untitled(value)
        if isinstance(value, dict)
        else [_untitled(each) if isinstance(each, dict) else each for each in value]
        if isinstance(value, list)
        else value
        for key, value in kept.items()
    }
