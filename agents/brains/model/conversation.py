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
from callboard.agents.brains.calls import BeginRecord, CallLog, RoomRecord
from callboard.agents.brains.model.calling import PATIENCE_S, Caller, ModelCall
from callboard.agents.brains.model.room import Window, to_leave_out, without
from callboard.agents.brains.model.toolbox import End, Tool
from callboard.agents.brains.model.using import ToolUser, as_part, shown
from callboard.bus.errors import BrainError, CallFailed

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
    tools: tuple[Tool, ...]
    read_text: ReadText
    max_turns: int
    window: Window
    schema: JsonValue = None
    """What an answer in text must follow; None = free."""
    patience_s: Callable[[], float] = lambda: PATIENCE_S
    """How long a provider's limit is waited for, now."""


class Conversation:
    """Used once.

    Args:
        log: Where what was said before is found, and what is left out is written down.
        begin: What it begins with, if it does not go on.
    """

    def __init__(
        self,
        subject: Subject,
        caller: Caller,
        user: ToolUser,
        report: Report,
        log: CallLog,
        begin: BeginRecord,
    ) -> None:
        self._subject = subject
        self._log = log
        self._begin = begin
        self._now = user.now
        self._limit = subject.window.limit
        self._seen = 0
        self._seen_tokens = 0
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
        said: Parts = []
        for _ in range(self._subject.max_turns):
            while (begun := self._log.next_begin(self._begin)) is not None:
                said.append(UserPromptPart(content=begun.prompt))
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
        """The reply to all that was said, which is made shorter where it is more than the model takes.

        Raises:
            NoEnd: It is more, and nothing is left to leave out.
        """
        self._make_room()
        try:
            return await self._call()
        except CallFailed as error:
            if error.cause != "too_long":
                raise
            if not self._make_room(known_too_long=True):
                raise _no_room(error) from error
        try:
            return await self._call()
        except CallFailed as error:
            if error.cause != "too_long":
                raise
            raise _no_room(error) from error

    async def _call(self) -> ModelResponse:
        subject = self._subject
        definitions = tuple(tool.definition for tool in subject.tools)
        call = ModelCall(subject.task, tuple(self._messages), definitions, subject.schema, subject.patience_s())
        reply = await self._caller.call(call, _Lines(self._report).hear)
        self._seen = len(self._messages) + 1
        self._seen_tokens = reply.usage.tokens
        return reply.response

    def _make_room(self, *, known_too_long: bool = False) -> bool:
        """As it was done before; else, where it is due now, by the rule of room.py.

        Args:
            known_too_long: The provider says so, whatever we counted.
        """
        while (record := self._log.next_room()) is not None:
            self._apply(record)
        if not self._log.is_live:
            return False
        tokens = self._tokens()
        if known_too_long:
            self._limit = min(self._limit, tokens * 9 // 10)
        if tokens <= self._limit:
            return False
        ids = to_leave_out(self._messages, tokens, self._limit)
        if ids:
            record = RoomRecord(left_out=ids, tokens=tokens, limit=self._limit, at=self._now())
            self._log.append(record)
            self._apply(record)
        return bool(ids)

    def _apply(self, record: RoomRecord) -> None:
        self._limit = min(self._limit, record.limit)
        self._messages = without(self._messages, record.left_out)
        self._seen_tokens = 0

    def _tokens(self) -> int:
        """What a call would send now: as the provider counted up to its last reply, and estimated from there."""
        subject = self._subject
        if self._seen_tokens:
            new = ModelCall(subject.task, tuple(self._messages[self._seen :]))
            return self._seen_tokens + new.estimated_tokens
        tools = tuple(tool.definition for tool in subject.tools)
        return ModelCall(subject.task, tuple(self._messages), tools, subject.schema).estimated_tokens

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
            told = await self._user.use(call, may_end=not has_failed)
            if isinstance(told, End):
                return told
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


def _no_room(error: CallFailed) -> NoEnd:
    return NoEnd(
        f"what has to be said is more than the model takes, also without old results of tools ({error}); "
        "name a model with a larger context, say what it is in context_tokens of [models.NAME], or make the task smaller"
    )


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
