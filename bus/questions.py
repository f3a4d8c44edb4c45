"""What only people can answer: questions of agents, approvals, caps that are reached."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from callboard.bus.doc import Doc
from callboard.bus.task import Permit


class QuestionDoc(Doc):
    id: str = ""
    task: str = ""
    agent: str = ""
    text: str = ""
    options: tuple[str, ...] = ()
    """What may be answered; empty = anything."""
    default: str = ""
    """What counts when nobody answers; "" = it waits, however long."""
    may_answer: tuple[str, ...] = ("person",)
    """Who may answer it."""
    permits: tuple[Permit, ...] = ()
    """An approval: what `yes` lets through intake."""
    state: Literal["open", "answered", "closed"] = "open"
    answer: str = ""
    scope: str = ""
    """Whose cap it is about (bus/caps.py); "" = it is about its task."""
    asked_at: AwareDatetime | None = None
    answered_at: AwareDatetime | None = None
