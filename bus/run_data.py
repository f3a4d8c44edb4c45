"""All that the server holds of one run: how much it is, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import cast

from callboard.bus.errors import BusUnavailable
from callboard.bus.keys import Keys
from callboard.bus.link import Link

REWRITE_S = 60.0
"""How long a server may take to write its data anew; it writes some 100 MB a second."""
LOOK_EVERY_S = 0.05


class RunData:
    """The keys of one run, taken together."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def size(self, inboxes: Iterable[str]) -> int:
        """Bytes in the server's memory; 0 when it holds nothing of the run.

        Args:
            inboxes: The names of all inboxes that the run had.
        """
        about = "measure a run"
        found = [
            await self._link.command("MEMORY", "USAGE", key, "SAMPLES", 0, about=about)
            for key in self._keys.every(inboxes)
        ]
        return sum(cast(int, size) for size in found if size is not None)

    async def remove(self, inboxes: Iterable[str]) -> None:
        """Delete all of it in one step; fine when it is gone already. Only its archive brings it back."""
        await self._link.command("UNLINK", *self._keys.every(inboxes), about="remove a run")

    async def compact(self) -> None:
        """Make the server write its data anew, so that what was removed is no longer on its disk. For a server of our own.

        Raises:
            BusUnavailable: It was not done within a minute; it goes on by itself.
        """
        await self._link.command("BGREWRITEAOF", about="compact the data")
        for _ in range(round(REWRITE_S / LOOK_EVERY_S)):
            if await self._is_written():
                return
            await asyncio.sleep(LOOK_EVERY_S)
        raise BusUnavailable(f"the server has not compacted its data within {REWRITE_S:.0f} s; it goes on by itself")

    async def _is_written(self) -> bool:
        info = cast(bytes, await self._link.command("INFO", "persistence", about="look at the server"))
        busy = (b"aof_rewrite_in_progress:1", b"aof_rewrite_scheduled:1")
        return not any(word in info for word in busy)
