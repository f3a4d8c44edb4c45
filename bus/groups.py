"""The consumer groups of inboxes: made where they are missing, also when they are lost meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from loguru import logger

from callboard.bus.errors import BusError
from callboard.bus.keys import GROUP, Keys
from callboard.bus.link import FIRST_DELAY_S, LONGEST_DELAY_S, Link, NoGroup

CALM_S = 30.0
"""A group lost again within this time is made again more slowly each time: something deletes it."""
TOGETHER = 100
"""Groups made at the same time."""


class Groups:
    """The groups of some inboxes that are read together."""

    def __init__(self, link: Link, keys: Keys, names: Sequence[str]) -> None:
        self._link = link
        self._keys = keys
        self._names = tuple(names)
        self._are_there = False
        self._delay_s = FIRST_DELAY_S
        self._lost_at = float("-inf")

    @asynccontextmanager
    async def there(self) -> AsyncIterator[None]:
        """Make them where they are missing; when one is lost meanwhile, the body reads nothing."""
        if not self._are_there:
            for start in range(0, len(self._names), TOGETHER):
                await asyncio.gather(*map(self._make, self._names[start : start + TOGETHER]))
            self._are_there = True
        try:
            yield
        except NoGroup as error:
            now = asyncio.get_running_loop().time()
            is_again = now - self._lost_at < CALM_S
            self._delay_s = min(2 * self._delay_s, LONGEST_DELAY_S) if is_again else FIRST_DELAY_S
            self._lost_at, self._are_there = now, False
            logger.error("consumer group was lost, making it again", inbox=self._shown, error=str(error))
            await asyncio.sleep(self._delay_s)

    @property
    def _shown(self) -> str:
        return self._names[0] if len(self._names) == 1 else f"one of {len(self._names)}"

    async def _make(self, name: str) -> None:
        # From 0: what is in the stream was not acknowledged by anybody, for what was is deleted.
        key, about = self._keys.inbox(name), f"make inbox {name}"
        try:
            await self._link.command("XGROUP", "CREATE", key, GROUP, "0", "MKSTREAM", about=about)
        except BusError as error:
            if "BUSYGROUP" not in str(error):
                raise
