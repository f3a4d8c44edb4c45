"""Text from agents and repositories, made safe to print: what a terminal could obey is shown instead."""

from __future__ import annotations

from callboard.bus.visible import VISIBLE


def one_line(text: str) -> str:
    """The text on one line, without anything that moves a cursor, colours, or turns the reading direction."""
    return " ".join(text.split()).translate(VISIBLE).encode("utf-8", "replace").decode()


def lines(text: str) -> str:
    """The same over several lines."""
    unified = text.replace("\r\n", "\n").translate(VISIBLE)
    return unified.encode("utf-8", "replace").decode()


def stated(state: str, reason: str) -> str:
    """A run's state with why it is in it: `paused (question)`."""
    return f"{state} ({reason})" if reason else state
