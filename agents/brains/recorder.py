"""Turns call logs of the model brain into talks of a recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import JsonValue

from callboard.agents.brains.answer import read_object
from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import BeginRecord, CallRecord, ParkRecord, Record, ToolRecord
from callboard.agents.brains.recording import Called, Parked, Said, Talk
from callboard.bus.errors import BrainError

EXECUTED_AGAIN = frozenset({"list", "read", "search", "write", "edit", "run"})
"""Tools whose results are not recorded: they are there wherever a recording is played."""
CUT = frozenset({"length", "content_filter"})

Redact = Callable[[JsonValue], JsonValue]


def talk_in(path: Path, redact: Redact) -> Talk | None:
    """What a call log holds; None when no call was made.

    Raises:
        BrainError: It does not say what it is about, or it is no log of the model brain.
    """
    records = read_records(path)
    if not any(isinstance(record, CallRecord | ParkRecord) for record in records):
        return None
    # what MCP servers offer is written down before it
    begin = next((record for record in records if isinstance(record, BeginRecord)), None)
    if begin is None or begin.about is None:
        raise BrainError(f"{path}: does not say which task it is about, so it cannot be recorded")
    end = records[-1]
    parked = Parked(parked=end.cause) if isinstance(end, ParkRecord) else None
    return Talk(path, begin.about, tuple(_said(call, tools, redact) for call, tools in _turns(records)), parked)


def _turns(records: Iterable[Record]) -> Iterator[tuple[CallRecord, list[ToolRecord]]]:
    """Each call with what came of the tools that its reply asked for."""
    call: CallRecord | None = None
    tools: list[ToolRecord] = []
    for record in records:
        if isinstance(record, ToolRecord):
            tools.append(record)
            continue
        if not isinstance(record, CallRecord):
            continue
        if call is not None:
            yield call, tools
        call, tools = record, []
    if call is not None:
        yield call, tools


def _said(record: CallRecord, tools: list[ToolRecord], redact: Redact) -> Said:
    response = record.response
    parts = response.get("parts") if isinstance(response, dict) else None
    if not isinstance(response, dict) or not isinstance(parts, list):
        raise BrainError(f"a reply of {record.model} is none of a model with tools of ours, so it cannot be recorded")
    texts = [str(part.get("content", "")) for part in _kind(parts, "text")]
    left = iter(tools)
    waiting = next(left, None)
    calls: list[Called] = []
    for part in _kind(parts, "tool-call"):
        called = Called(tool=str(part.get("tool_name")), arguments=redact(arguments_of(part.get("args"))))
        if waiting is not None and waiting.name == called.tool:
            again = waiting.name in EXECUTED_AGAIN
            result = None if again else str(redact(waiting.result))
            called = called.model_copy(update={"ok": waiting.ok, "result": result})
            waiting = next(left, None)
        calls.append(called)
    return Said.model_validate(
        {
            "model": record.model,
            "says": redact("".join(texts)),
            "calls": calls,
            "finish": reason if (reason := response.get("finish_reason")) in CUT else None,
            **record.model_dump(
                include={"input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "usd"}
            ),
        }
    )


def _kind(parts: list[JsonValue], kind: str) -> list[dict[str, JsonValue]]:
    return [part for part in parts if isinstance(part, dict) and part.get("part_kind") == kind]


def arguments_of(arguments: JsonValue) -> JsonValue:
    """An object, where a model's text is one."""
    if not isinstance(arguments, str):
        return arguments or {}
    try:
        found = read_object(arguments)
    except BrainError:
        return arguments
    value: JsonValue = dict(found)  # type: ignore[arg-type]
    return value
