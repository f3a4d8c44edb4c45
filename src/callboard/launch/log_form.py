"""How a line of a process log looks: `2026-11-21 09:14:07.123Z WARNING driver-1 message given back (run=r1 error='no room')`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loguru import Record


def log_form(name: str) -> Callable[[Record], str]:
    """The form of the lines of one process.

    Args:
        name: Whose process it is; what is bound as `agent` is that name, and not said again.
    """

    def form(record: Record) -> str:
        facts = " ".join(f"{key}={value!r}" for key, value in record["extra"].items() if key != "agent")
        said = f" ({facts})" if facts else ""
        # it is a template: what was said may hold braces and marks of its own
        plain = said.replace("{", "{{").replace("}", "}}").replace("<", r"\<")
        return f"{{time:YYYY-MM-DD HH:mm:ss.SSS!UTC}}Z {{level: <7}} {name} {{message}}{plain}\n{{exception}}"

    return form
