"""The consumer groups of inboxes: made where they are missing, also when they are lost meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from loguru import logger

from callboard.bus.keys import Keys
from callboard.bus.link import FIRST_DELAY_S, LONGEST_DELAY_S, Link, NoGroup
from callboard.bus.script import checked

CALM_S = 30.0
"""A group lost again within this time is made again more slowly each time: something deletes it."""


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
            await self._make()
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

    async def _make(self) -> None:
        """In one call: a connection for each would be thousands where many processes with many agents start at once."""
        keys, about = list(map(self._keys.inbox, self._names)), f"make inbox {self._shown}"
        checked(await self._link.script("groups", keys, [], about=about), about)
