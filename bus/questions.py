"""What only people can answer: questions of agents, approvals, caps that are reached."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from callboard.bus.doc import Doc
from callboard.bus.task import Permit

ANYBODY = "person"
"""Who may answer what everybody may."""


class QuestionDoc(Doc):
    id: str = ""
    task: str = ""
    agent: str = ""
    text: str = ""
    options: tuple[str, ...] = ()
    """What may be answered; empty = anything."""
    default: str = ""
    """What counts when nobody has answered by the deadline; "" = it waits, however long."""
    deadline: AwareDatetime | None = None
    """None on boards of before there were any."""
    is_overdue: bool = False
    """The deadline has passed, and it is still open: it has no default."""
    may_answer: tuple[str, ...] = (ANYBODY,)
    """Names of people, and roles of `[people]`."""
    permits: tuple[Permit, ...] = ()
    """An approval: what `yes` lets through intake."""
    state: Literal["open", "answered", "closed"] = "open"
    answer: str = ""
    answered_by: str = ""
    """As they call themselves; "" = nobody said."""
    is_default: bool = False
    """The answer is its default, taken at its deadline."""
    closed_for: str = ""
    """Why it needs no answer any more."""
    deployment: str = ""
    """The one that waits for it; "" = none does."""
    scope: str = ""
    """Whose cap it is about (bus/caps.py); "" = it is about its task."""
    asked_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None
