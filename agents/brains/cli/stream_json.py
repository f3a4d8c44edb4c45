"""What Claude Code prints, and what was made after it: one JSON object a line, messages with blocks of text and tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from callboard.agents.brains.budget import Usage
from callboard.agents.brains.cli.adapter import End, Event, Report, Text, Told, Tool
from callboard.agents.brains.cli.lines import at, items_at, text_at

_DETAILS = ("command", "file_path", "absolute_path", "path", "pattern", "description")
"""Of a tool's arguments, what tells people the most; the first that is there."""


def read_stream(
    found: object, usage: Callable[[object], Usage], end: Callable[[object, str], End]
) -> tuple[Event, ...]:
    """One line.

    Args:
        usage: Reads what was used.
        end: Reads how the session ended, of the `result` line and what it says.
    """
    match at(found, "type"):
        case "assistant":
            report = Report(
                usage(at(found, "message", "usage")),
                text_at(found, "message", "model"),
                text_at(found, "message", "id"),
            )
            return (*_said(found), report)
        case "user":
            return tuple(_told(found))
        case "result":
            return Report(usage(at(found, "usage")), is_total=True), end(found, text_at(found, "result"))
    return ()


def has_failed(result: object) -> bool:
    """What the `result` line says of itself."""
    return at(result, "is_error") is not False or at(result, "subtype") != "success"


def _said(found: object) -> Iterator[Event]:
    for block in items_at(found, "message", "content"):
        match at(block, "type"):
            case "text":
                yield Text(text_at(block, "text"))
            case "tool_use":
                details = [text_at(block, "input", key) for key in _DETAILS]
                yield Tool(text_at(block, "name"), next(filter(None, details), ""), text_at(block, "id"))


def _told(found: object) -> Iterator[Event]:
    for block in items_at(found, "message", "content"):
        if at(block, "type") == "tool_result":
            parts = [text_at(part, "text") for part in items_at(block, "content")]
            text = text_at(block, "content") or "\n".join(parts)
            yield Told(text, at(block, "is_error") is not True, text_at(block, "tool_use_id"))
