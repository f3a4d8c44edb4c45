"""What people say to the manager, and what they hear."""

from __future__ import annotations

from typing import ClassVar, Literal

from callboard.bus.body import Body
from callboard.bus.caps import Limits
from callboard.bus.task import TaskSpec


class CommandGiven(Body):
    """person -> manager. assign takes `spec`; cancel `task`; answer `question` and `text`; pause `text` as its reason."""

    kind: ClassVar[str] = "command.given"
    command: Literal["assign", "cancel", "answer", "pause", "resume", "promote"]
    task: str = ""
    question: str = ""
    text: str = ""
    by: str = ""
    """Who gives it, as they call themselves; "" = not said."""
    takes_default: bool = False
    """answer: instead of `text`."""
    spec: TaskSpec | None = None
    limits: Limits | None = None
    """resume: what `[budget]` says now."""


class CommandHandled(Body):
    """manager -> journal: what became of a person's command."""

    kind: ClassVar[str] = "command.handled"
    command: str
    """The command message's id."""
    ok: bool
    text: str
    """One sentence for the person: what was done, or why not and the way out."""
    task: str = ""
