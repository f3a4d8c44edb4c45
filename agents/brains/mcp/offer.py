"""What a model brain needs to know of servers; it does not import what speaks to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from callboard.agents.brains.brain import Seat
from callboard.agents.brains.calls import CallLog
from callboard.agents.brains.model.toolbox import Tool

OFFER: Final = "tools/list"
"""What the record of what servers offer is called in a call log; no tool's name has a slash."""


@dataclass(frozen=True, slots=True)
class Extra:
    """What an attempt has besides our own tools."""

    tools: tuple[Tool, ...] = ()
    problems: tuple[str, ...] = ()
    """Servers that cannot be had, and tools that are left out, as sentences that hold outside text."""


class Servers(Protocol):
    """Where more tools come from."""

    def tools(self, seat: Seat, log: CallLog) -> AbstractAsyncContextManager[Extra]:
        """The tools for one attempt or review; nothing of it is left at the end."""
        ...


class NoServers:
    """There are none, and nothing is written down."""

    @asynccontextmanager
    async def tools(self, seat: Seat, log: CallLog) -> AsyncIterator[Extra]:
        yield Extra()
