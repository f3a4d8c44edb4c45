"""Timers whose time has come: their messages are sent, each once, whoever looks."""

from __future__ import annotations

import json
from typing import cast

from callboard.bus.journal import encode_entry
from callboard.bus.keys import Keys
from callboard.bus.link import Link
from callboard.bus.parcel import Arg, flat
from callboard.bus.script import checked, text

MOST = 100
"""In one call; the server does nothing else meanwhile."""
ABOUT = "send due timers"


class Timers:
    """Any process of a run may look at any time. When a time has come the server's clock says, both when a timer is set and
    when it is due; this process's clock is not asked. A message is sent and its timer taken away in one step."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def fire_due(self) -> int:
        """Send what is due; how many this call sent. What another process sends meanwhile is passed over.

        Raises:
            BusUnavailable, InboxFull, BusError
        """
        fired = 0
        while due := await self._due():
            sent = await self._send(due)
            fired += sent
            # Less was sent where somebody else is at it, or a stream takes no more: the next look sees what is left.
            if len(due) < MOST or not sent:
                break
        return fired

    async def _due(self) -> list[bytes]:
        now_s, micros = cast(list[bytes], await self._link.command("TIME", about="read the clock"))
        now_ms = int(now_s) * 1000 + int(micros) // 1000
        args: list[Arg] = ["ZRANGEBYSCORE", self._keys.timers, "-inf", now_ms, "LIMIT", 0, MOST]
        return cast(list[bytes], await self._link.command(*args, about="read timers"))

    async def _send(self, due: list[bytes]) -> int:
        recipients = [str(json.loads(raw)["recipient"]) for raw in due]
        places = {name: place for place, name in enumerate(dict.fromkeys(recipients), 1)}
        rows: list[tuple[Arg, ...]] = [
            (places[name], raw, encode_entry("timer", sender="timer", messages=(raw.decode(),)))
            for name, raw in zip(recipients, due, strict=True)
        ]
        keys = [self._keys.timers, self._keys.journal, self._keys.seq, *map(self._keys.inbox, places)]
        return int(text(checked(await self._link.script("due", keys, flat(rows), about=ABOUT), ABOUT)[0]))
