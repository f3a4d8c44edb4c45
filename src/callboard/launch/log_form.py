"""How a line of a process log looks: for people, `2026-11-21 09:14:07.123Z WARNING driver-1 message given back (run=r1 error='no room')`;
for programs, one JSON object."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from datetime import UTC
from typing import TYPE_CHECKING, Literal

from callboard.bus.redaction import Redactor

if TYPE_CHECKING:
    from loguru import Record

Format = Literal["text", "json"]
IDS = frozenset({"time", "level", "process", "run", "agent", "task", "attempt", "message", "trace"})
"""Keys of a JSON line whose values are ours."""


def log_form(name: str, format: Format = "text") -> Callable[[Record], str]:
    """The form of the lines of one process.

    Args:
        name: Whose process it is; what is bound as `agent` is that name, and in a text not said again.
    """
    return _json(name) if format == "json" else _text(name)


def scrubbed(redactor: Redactor, format: Format) -> Callable[[str], str]:
    """A line without secrets; in JSON each value is looked at as it was before it was quoted."""
    if format == "text":
        return redactor.text
    return lambda line: f"{redactor.document(line, but=IDS)}\n"


def _text(name: str) -> Callable[[Record], str]:
    def form(record: Record) -> str:
        facts = " ".join(f"{key}={value!r}" for key, value in record["extra"].items() if key != "agent")
        said = f" ({facts})" if facts else ""
        # it is a template: what was said may hold braces and marks of its own
        plain = said.replace("{", "{{").replace("}", "}}").replace("<", r"\<")
        return f"{{time:YYYY-MM-DD HH:mm:ss.SSS!UTC}}Z {{level: <7}} {name} {{message}}{plain}\n{{exception}}"

    return form


def _json(name: str) -> Callable[[Record], str]:
    def form(record: Record) -> str:
        line: dict[str, object] = {
            "time": record["time"].astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record["level"].name.lower(),
            "process": name,
            "text": record["message"],
        }
        line |= {f"{key}_" if key in line else key: value for key, value in record["extra"].items()}
        if (error := record["exception"]) is not None and error.value is not None:
            line["error_trace"] = "".join(traceback.format_exception(error.value))
        said = json.dumps(line, ensure_ascii=False, default=repr)
        # it is a template too, and marks begin with what JSON can write otherwise
        return said.replace("<", "\\u003c").replace("{", "{{").replace("}", "}}") + "\n"

    return form
