"""Many inboxes read by one consumer, with one command for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from callboard.bus.delivery import Delivery, Wire
from callboard.bus.groups import Groups
from callboard.bus.inbox import Inbox, Row
from callboard.bus.keys import GROUP
from callboard.bus.parcel import Arg
from callboard.bus.script import checked, text

ABOUT = "read many inboxes"


class Inboxes:
    """As Inbox, for many at once: an inbox in which nothing happens costs a name in a command. One caller at a time."""

    def __init__(self, wire: Wire, names: Sequence[str], consumer: str) -> None:
        self.names = tuple(names)
        self.consumer = consumer
        self._wire = wire
        self._inboxes = {name: Inbox(wire, name, consumer) for name in names}
        self._by_key = {wire.keys.inbox(name).encode(): each for name, each in self._inboxes.items()}
        self._groups = Groups(wire.link, wire.keys, self.names)

    async def receive(self, names: Sequence[str], limit: int, block_s: float) -> list[Delivery]:
        """New messages of these inboxes, at most `limit` of each; waits up to `block_s` for the first.

        Raises:
            BusUnavailable, BusError
        """
        keys = [self._wire.keys.inbox(name) for name in names]
        wait = ("BLOCK", max(1, round(block_s * 1000)))
        args: list[Arg] = ["XREADGROUP", "GROUP", GROUP, self.consumer, "COUNT", limit, *wait, "STREAMS", *keys]
        deliveries: list[Delivery] = []
        async with self._groups.there():
            reply = await self._wire.link.block(*args, *(">" for _ in keys), block_s=block_s, about=ABOUT)
            for key, rows in cast(list[tuple[bytes, list[Row]]], reply or []):
                deliveries += await self._by_key[key].take_in(rows)
        return deliveries

    async def take_over(self, *, idle_s: float, host: str | None = None) -> list[Delivery]:
        """As Inbox.take_over, of every inbox that holds something; the others are looked at all in one call."""
        deliveries: list[Delivery] = []
        async with self._groups.there():
            for name in await self._with_pending():
                deliveries += await self._inboxes[name].take_over(idle_s=idle_s, host=host)
        return deliveries

    async def _with_pending(self) -> list[str]:
        if len(self.names) == 1:
            return list(self.names)
        keys = [self._wire.keys.inbox(name) for name in self.names]
        places = checked(await self._wire.link.script("pending", keys, [], about=ABOUT), ABOUT)
        return [self.names[int(text(place)) - 1] for place in places]

    async def forget_dead_consumers(self) -> None:
        for each in self._inboxes.values():
            await each.forget_dead_consumers()
