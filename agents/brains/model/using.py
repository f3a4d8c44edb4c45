"""One tool call of a model: checked, executed, recorded, and told back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from loguru import logger
from pydantic import JsonValue
from pydantic_ai.messages import ToolCallPart, ToolReturnPart

from callboard.agents.brains.answer import read_object
from callboard.agents.brains.calls import CallLog, ToolRecord, digest_of
from callboard.agents.brains.framing import framed
from callboard.agents.brains.model.toolbox import BadCall, End, Tool
from callboard.bus.errors import BrainError

NOT_TAKEN = "not taken: another call of the same reply failed; look at that first"


@dataclass(frozen=True, slots=True)
class Told:
    """What a tool gave back."""

    text: str
    ok: bool = True
    is_bad: bool = False
    """The call itself was wrong: an unknown tool, or arguments that it does not take."""


class ToolUser:
    """Executes what one conversation calls. With a recorded result a tool is executed for its effect alone.

    Args:
        redact: Takes secrets out of what tools give back, before the model and the log get it.
    """

    def __init__(
        self, tools: Mapping[str, Tool], log: CallLog, now: Callable[[], datetime], redact: Callable[[str], str]
    ) -> None:
        self._tools = tools
        self._log = log
        self.now = now
        self._redact = redact

    async def use(self, call: ToolCallPart, *, may_end: bool = True) -> Told | End:
        """Do what a call says.

        Args:
            may_end: False: an end is not taken, for something before it in the same reply failed.
        """
        arguments = _arguments(call)
        digest = digest_of({"id": call.tool_call_id, "name": call.tool_name, "arguments": arguments})
        is_past = self._log.is_past
        record = self._log.next_tool(digest)
        if record is not None:
            return _told(record) if is_past else await self._again(record, arguments)
        began = time.monotonic()
        told = await self._execute(call.tool_name, arguments)
        if isinstance(told, End) and not may_end:
            told = Told(NOT_TAKEN, ok=False)
        if isinstance(told, Told):
            self._log.append(
                ToolRecord(
                    digest=digest,
                    name=call.tool_name,
                    arguments=arguments,
                    result=told.text,
                    ok=told.ok,
                    is_bad=told.is_bad,
                    duration_s=round(time.monotonic() - began, 3),
                    at=self.now(),
                )
            )
        return told

    async def _again(self, record: ToolRecord, arguments: JsonValue) -> Told:
        tool = self._tools.get(record.name)
        if tool is not None and tool.changes and not record.is_bad:
            told = await self._execute(record.name, arguments)
            if isinstance(told, Told) and told.ok != record.ok:
                logger.warning("a recorded tool ended otherwise this time", tool=record.name, said=told.text[:200])
        return _told(record)

    async def _execute(self, name: str, arguments: JsonValue) -> Told | End:
        tool = self._tools.get(name)
        if tool is None:
            return Told(f"there is no tool {name[:80]!r}; there are: {', '.join(self._tools)}", ok=False, is_bad=True)
        if not isinstance(arguments, dict):
            return Told(f"{name} was not called: its arguments are no JSON object", ok=False, is_bad=True)
        try:
            said = await tool.call(arguments)
        except BadCall as error:
            return Told(str(error), ok=False, is_bad=True)
        except BrainError as error:
            return Told(await self._clean(str(error)), ok=False)
        return said if isinstance(said, End) else Told(await self._clean(said))

    async def _clean(self, text: str) -> str:
        """In a thread: long outputs take a while."""
        return await asyncio.to_thread(self._redact, text)


def _told(record: ToolRecord) -> Told:
    return Told(record.result, record.ok, record.is_bad)


def as_part(call: ToolCallPart, told: Told) -> ToolReturnPart:
    """What the model sees of it: as data, for a tool's output may hold anything."""
    return ToolReturnPart(
        tool_name=call.tool_name,
        content=framed(call.tool_name, told.text),
        tool_call_id=call.tool_call_id,
        outcome="success" if told.ok else "failed",
    )


def shown(call: ToolCallPart) -> str:
    """One line for people: the tool and its first argument."""
    arguments = _arguments(call)
    first = next(iter(arguments.values()), "") if isinstance(arguments, dict) else ""
    return f"{call.tool_name} {first}".strip()


def _arguments(call: ToolCallPart) -> JsonValue:
    """An object; what is none stays the text that the model gave."""
    if not call.args:
        return {}
    text = call.args if isinstance(call.args, str) else json.dumps(call.args)
    try:
        found = read_object(text)
    except BrainError:
        return text[:10_000]
    value: JsonValue = json.loads(json.dumps(found))
    return value
