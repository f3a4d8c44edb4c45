"""One conversation with a model: it calls tools until one of them ends it, or it has had its chances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import JsonValue
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from callboard.agents.brains.answer import plain
from callboard.agents.brains.brain import Report
from callboard.agents.brains.model.calling import PATIENCE_S, Caller, ModelCall
from callboard.agents.brains.model.toolbox import End, Tool
from callboard.agents.brains.model.using import NOT_TAKEN, Told, ToolUser, as_part, shown
from callboard.bus.errors import BrainError

MAX_USELESS = 3
"""Replies in a row that hold nothing to go on with: a model that was told twice what is wrong will not learn it."""

ReadText = Callable[[str], End]
"""Reads an end out of a reply that calls no tool. Raises BrainError with what is wrong with it, for the model."""
Parts = list[UserPromptPart | ToolReturnPart]


class NoEnd(BrainError):
    """The conversation led to nothing; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a conversation is about."""

    task: str
    instructions: str
    prompt: str
    tools: tuple[Tool, ...]
    read_text: ReadText
    max_turns: int
    schema: JsonValue = None
    """What an answer in text must follow; None = free."""
    patience_s: Callable[[], float] = lambda: PATIENCE_S
    """How long a provider's limit is waited for, now."""


class Conversation:
    """Used once."""

    def __init__(self, subject: Subject, caller: Caller, user: ToolUser, report: Report) -> None:
        self._subject = subject
        self._caller = caller
        self._user = user
        self._report = report
        self._messages: list[ModelMessage] = []
        self._useless = 0

    async def until_end(self) -> End:
        """Talk until something ends it.

        Raises:
            NoEnd: It took too many turns, or too many replies in a row were of no use.
            CallFailed, BrainParked, BudgetSpent: A call could not be made.
        """
        said: Parts = [UserPromptPart(content=self._subject.prompt)]
        for _ in range(self._subject.max_turns):
            self._messages.append(ModelRequest(parts=list(said), instructions=self._subject.instructions))
            response = await self._ask()
            self._messages.append(response)
            turn = await self._turn(response)
            if isinstance(turn, End):
                return turn
            said = turn
        raise NoEnd(
            f"{self._subject.max_turns} replies, and none ended the work; models.<name>.max_turns says how many"
        )

    async def _ask(self) -> ModelResponse:
        subject = self._subject
        definitions = tuple(tool.definition for tool in subject.tools)
        call = ModelCall(subject.task, tuple(self._messages), definitions, subject.schema, subject.patience_s())
        return (await self._caller.call(call, _Lines(self._report).hear)).response

    async def _turn(self, response: ModelResponse) -> End | Parts:
        """The end, or what is said next."""
        calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
        if not calls:
            return self._read(response)
        said: Parts = []
        faults: list[str] = []
        has_failed = False
        for call in calls:
            await self._report(shown(call))
            told = await self._user.use(call)
            if isinstance(told, End):
                if not has_failed:
                    return told
                told = Told(NOT_TAKEN, ok=False)
            has_failed = has_failed or not told.ok
            faults += [told.text] if told.is_bad else []
            said.append(as_part(call, told))
        self._weigh(faults[-1] if len(faults) == len(calls) else "", response)
        return said

    def _read(self, response: ModelResponse) -> End | Parts:
        text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
        try:
            if response.finish_reason == "content_filter":
                raise BrainError(f"it was refused: {_refusal(response) or plain(text, 300) or 'no reason given'}")
            return self._subject.read_text(text)
        except BrainError as error:
            self._weigh(str(error), response)
            return [UserPromptPart(content=f"That reply could not be used: {error}")]

    def _weigh(self, fault: str, response: ModelResponse) -> None:
        """Count replies that are of no use.

        Raises:
            NoEnd: That was the last chance.
        """
        self._useless = self._useless + 1 if fault else 0
        if self._useless >= MAX_USELESS:
            cut = "; it was cut at its max_tokens" if response.finish_reason == "length" else ""
            raise NoEnd(f"{MAX_USELESS} replies in a row could not be used; the last: {plain(fault, 1_000)}{cut}")


class _Lines:
    """Text in pieces -> the line that is being written."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._line = ""

    async def hear(self, text: str) -> None:
        lines = (self._line + text).split("\n")
        self._line = lines[-1][:2_000]
        await self._report(next((line for line in reversed(lines) if line.strip()), ""))


def _refusal(response: ModelResponse) -> str:
    return plain(str((response.provider_details or {}).get("refusal") or ""), 300)
