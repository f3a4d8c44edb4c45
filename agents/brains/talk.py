"""Call logs for people: which there are of a task, and what was said in one. Pure but for reading the files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from pydantic import JsonValue

from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import BeginRecord, EventRecord, ParkRecord, Record, RoomRecord, ToolRecord

_NAME = re.compile(r"(?P<task>[^.]+)\.(?P<attempt>\d+)\.(?P<agent>[^.]+)(?:\.(?P<review>(?!cut-).+))?\.jsonl")


@dataclass(frozen=True, slots=True)
class Talk:
    """One call log: an attempt's, or a review's."""

    path: Path
    task: str
    attempt: int
    agent: str
    review: str
    """"" for an attempt."""


@dataclass(frozen=True, slots=True)
class Step:
    """One record as people see it."""

    kind: str
    """call | tool | event"""
    at: datetime
    duration_s: float
    name: str
    """The model that answered, the tool that was called, or what happened."""
    text: str
    """What the model said, or what the tool gave back."""
    calls: tuple[str, ...] = ()
    """Tools that the model called: name and arguments."""
    ok: bool = True
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    usd: Decimal | None = None


def talks(folder: Path, task: str) -> tuple[Talk, ...]:
    """The call logs of one task in one run, by attempt; reviews after the attempt that they judge."""
    names = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [
        Talk(path, match["task"], int(match["attempt"]), match["agent"], match["review"] or "")
        for path in names
        if (match := _NAME.fullmatch(path.name)) and ".cut-" not in path.name and match["task"] == task
    ]
    return tuple(sorted(found, key=lambda talk: (talk.attempt, bool(talk.review), talk.review, talk.agent)))


def steps(talk: Talk) -> tuple[Step, ...]:
    """What is recorded, as far as it can be read."""
    return tuple(map(_step, read_records(talk.path)))


def total(said: Iterable[Step]) -> Step:
    """The sum over model calls; its `usd` is None when one of them is unknown."""
    calls = [step for step in said if step.kind == "call"]
    known = [step.usd for step in calls if step.usd is not None]
    return Step(
        kind="total",
        at=max(step.at for step in calls),
        duration_s=round(sum(step.duration_s for step in calls), 3),
        name=", ".join(dict.fromkeys(step.name for step in calls)),
        text=f"{len(calls)} calls",
        input_tokens=sum(step.input_tokens for step in calls),
        output_tokens=sum(step.output_tokens for step in calls),
        cached_tokens=sum(step.cached_tokens for step in calls),
        usd=sum(known, Decimal(0)) if len(known) == len(calls) else None,
    )


def _step(record: Record) -> Step:
    if isinstance(record, ToolRecord):
        return Step("tool", record.at, record.duration_s, record.name, record.result, ok=record.ok)
    if isinstance(record, BeginRecord):
        return Step("event", record.at, 0.0, "goes on" if record.resumes else "prompt", record.prompt)
    if isinstance(record, RoomRecord):
        said = f"{len(record.left_out)} tool results left out: about {record.tokens:,} tokens, {record.limit:,} may be sent"
        return Step("event", record.at, 0.0, "made room", said)
    if isinstance(record, ParkRecord):
        return Step("event", record.at, 0.0, "parked", record.detail)
    if isinstance(record, EventRecord):
        return Step("event", record.at, record.duration_s, record.name, record.text, record.calls, record.ok)
    parts = _parts(record.response)
    return Step(
        kind="call",
        at=record.at,
        duration_s=record.duration_s,
        name=record.model,
        text="\n".join(_texts(parts)),
        calls=tuple(f"{part.get('tool_name')} {_arguments(part.get('args'))}".strip() for part in _calls(parts)),
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cached_tokens=record.cached_tokens,
        usd=record.usd,
    )


def _parts(response: JsonValue) -> list[dict[str, JsonValue]]:
    """Of a response as the model brain writes it down; other brains' have none."""
    parts = response.get("parts") if isinstance(response, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _texts(parts: Sequence[dict[str, JsonValue]]) -> list[str]:
    return [str(part.get("content", "")) for part in parts if part.get("part_kind") in ("text", "thinking")]


def _calls(parts: Sequence[dict[str, JsonValue]]) -> list[dict[str, JsonValue]]:
    return [part for part in parts if part.get("part_kind") == "tool-call"]


def _arguments(arguments: JsonValue) -> str:
    if isinstance(arguments, dict):
        return " ".join(f"{key}={value!r}" for key, value in arguments.items())
    return str(arguments or "")
