"""Time as it is handed in: tests have one of their own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Clock = Callable[[], float]
"""Seconds since 1970."""
Sleep = Callable[[float], Awaitable[None]]
