"""The commit message of what a driver hands in."""

from __future__ import annotations

from callboard.agents.brains.answer import plain
from callboard.bus.task import TaskSpec

MAX_SUBJECT = 100
"""Characters of a subject line that log views still show whole."""


def hand_in_message(spec: TaskSpec, *, prefix: str, task: str, agent: str, attempt: int) -> str:
    """`<prefix><title>` and the trailers Task, Task-Key, Agent, Attempt; no text of a brain's, so nothing can pass for one."""
    trailers = {"Task": task, "Task-Key": spec.key, "Agent": agent, "Attempt": str(attempt)}
    lines = [f"{name}: {_line(value, 200)}" for name, value in trailers.items()]
    return f"{_line(prefix + spec.title, MAX_SUBJECT)}\n\n" + "\n".join(lines) + "\n"


def _line(text: str, limit: int) -> str:
    return plain(" ".join(text.split()), limit)
