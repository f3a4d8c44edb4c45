"""One inbox as one consumer sees it: receive what is new, take over what nobody works on any more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from loguru import logger

from callboard.bus.delivery import MOST_FAILURES, SHOWN_BYTES, Delivery, Entry, Wire, bury, put_aside
from callboard.bus.envelope import MOST_READ_BYTES, Envelope, is_uuid
from callboard.bus.errors import BadMessage, InboxFull, LeaseLost, UnknownKind
from callboard.bus.groups import Groups
from callboard.bus.keys import GROUP
from callboard.bus.parcel import Arg
from callboard.bus.script import Part, checked, text

FORGET_CONSUMER_S = 3600.0
"""A consumer that holds nothing and was silent for so long belongs to a process that is gone."""
LEFT_S = 30.0
"""How long a message of an unknown kind is left to whoever may know it."""
MOST_LEFT = 20
"""After so many deliveries, ten minutes, it is a dead letter: a rolling restart is over by then."""
TAKE_MOST = 100
"""Entries that one take_over brings at most."""


Row = tuple[bytes, list[bytes] | None]
"""An entry as a read gives it: its id, and its fields."""
Held = tuple[bytes, bytes, int, int]
"""An entry as XPENDING gives it: its id, who holds it, for how many ms, its deliveries."""
RELEASED = "released"
"""The consumer that holds what nobody works on; scripts/lib.lua."""


class Inbox:
    """Give each process a consumer name of its own: `<agent>.<host>.<incarnation>`.

    It knows which entries its consumer holds, so that one delivered without an answer (the connection broke) is found
    again. Reading and taking over exclude each other for that reason.
    """

    def __init__(self, wire: Wire, name: str, consumer: str) -> None:
        self.name = name
        self.consumer = consumer
        self._wire = wire
        self._key = wire.keys.inbox(name)
        self._held: dict[str, int] = {}
        """Entry id -> the delivery count this consumer holds it at."""
        self._cursor = ""
        self._groups = Groups(wire.link, wire.keys, (name,))
        self._reading = asyncio.Lock()
        """Protects `_held` against a take-over while a read is under way."""

    async def receive(self, limit: int = 1, block_s: float = 1.0) -> list[Delivery]:
        """New messages, oldest first; waits up to `block_s` for the first, 0 = not at all.

        What cannot be decoded is buried.

        Raises:
            BusUnavailable, BusError
        """
        # BLOCK 0 would wait for ever.
        wait = ("BLOCK", max(1, round(block_s * 1000))) if block_s > 0 else ()
        args = ("XREADGROUP", "GROUP", GROUP, self.consumer, "COUNT", limit, *wait, "STREAMS", self._key, ">")
        async with self._reading, self._groups.there():
            reply = await self._wire.link.block(*args, block_s=block_s, about=self._about)
            rows = [row for _, stream in cast(list[tuple[bytes, list[Row]]], reply or []) for row in stream]
            return await self.take_in(rows)
        return []

    async def take_in(self, rows: Sequence[Row]) -> list[Delivery]:
        """The deliveries of what a read has brought for this consumer. Nothing may read or take over meanwhile."""
        entries = [self._entry(id, fields or []) for id, fields in rows]
        return await self._opened([entry for entry in entries if entry.id not in self._held])

    async def take_over(self, *, idle_s: float, host: str | None = None) -> list[Delivery]:
        """Take what was released, what was not renewed for `idle_s`, and with a host what its other processes held.

        Goes on where the last call stopped, and brings at most TAKE_MOST. One that has failed MOST_FAILURES times becomes
        a dead letter instead.

        Raises:
            BusUnavailable, BusError
        """
        keys, taken = self._wire.keys, list[Entry]()
        async with self._reading, self._groups.there():
            while len(taken) < TAKE_MOST:
                known = sorted({*self._held, *(entry.id for entry in taken)})
                limits: list[Arg] = [TAKE_MOST - len(taken), MOST_FAILURES, len(known), *known]
                reply = await self._wire.link.script(
                    "take_over",
                    [self._key, keys.failures, keys.held, keys.counts],
                    [self.consumer, self.name, round(idle_s * 1000), host or "", self._cursor, *limits],
                    about=self._about,
                )
                cursor, *rows = checked(reply, self._about)
                self._cursor = text(cursor)
                taken += [self._taken(cast(list[Part], row)) for row in rows]
                if not self._cursor:
                    break
            return await self._opened(taken)
        return []

    async def bury_unknown(self) -> int:
        """Make dead letters of the messages that were left to a newer program; how many. For whoever knows that none will come.

        Raises:
            BusUnavailable, BusError
        """
        buried = 0
        async with self._reading, self._groups.there():
            for entry in await self._left_over():
                try:
                    self._decoded(entry.raw)
                except UnknownKind as error:
                    # taken from whoever is given it in this moment too, who cannot read it either
                    args = (self._key, GROUP, self.consumer, 0, entry.id)
                    if await self._wire.link.command("XCLAIM", *args, about=self._about):
                        await self._bury(entry, "unknown kind", str(error))
                        buried += 1
                except BadMessage:
                    continue
        return buried

    async def _left_over(self) -> list[Entry]:
        """What nobody works on, each as it will be once this consumer has claimed it."""
        link, found = self._wire.link, list[Entry]()
        args = (self._key, GROUP, "-", "+", TAKE_MOST, RELEASED)
        for id, _, _, count in cast(list[Held], await link.command("XPENDING", *args, about=self._about)):
            rows = cast(list[Row], await link.command("XRANGE", self._key, id, id, about=self._about))
            found += [replace(self._entry(id, fields or []), count=count + 1) for id, fields in rows]
        return found

    async def forget_dead_consumers(self, silent_s: float = FORGET_CONSUMER_S) -> int:
        """Delete consumers that were silent for so long; those that hold something stay until it was taken over."""
        async with self._groups.there():
            reply = await self._wire.link.script(
                "sweep", [self._key], [self.consumer, round(silent_s * 1000)], about=self._about
            )
            return int(text(checked(reply, self._about)[0]))
        return 0

    @property
    def _about(self) -> str:
        return f"read inbox {self.name}"

    def _entry(self, id: bytes, fields: list[bytes]) -> Entry:
        found = dict(zip(fields[::2], fields[1::2], strict=True))
        lives = int(found.get(b"d", b"0"))
        return Entry(self.name, self.consumer, id.decode(), 1, found.get(b"m", b""), lives)

    def _taken(self, row: list[Part]) -> Entry:
        id, raw, *counts, error = row
        lives, count, raised, died = (int(text(part)) for part in counts)
        return Entry(
            self.name,
            self.consumer,
            text(id),
            count,
            cast(bytes, raw),
            lives,
            raised=raised,
            died=died,
            error=text(error),
        )

    async def _opened(self, entries: list[Entry]) -> list[Delivery]:
        """The deliveries; what has failed too often or cannot be read is buried on the way."""
        self._held.update((entry.id, entry.count) for entry in entries)
        deliveries = []
        try:
            for entry in entries:
                if (delivery := await self._open(entry)) is not None:
                    deliveries.append(delivery)
        except BaseException:
            # Nobody will get these: let the next take-over find them.
            for entry in entries:
                self._let_go(entry)
            raise
        return deliveries

    async def _open(self, entry: Entry) -> Delivery | None:
        if entry.failures >= MOST_FAILURES:
            await self._bury(entry, f"{entry.failures} failures", entry.error or "its process died with it")
            return None
        try:
            return Delivery(self._wire, entry, self._decoded(entry.raw), self._let_go)
        except UnknownKind as error:
            await self._leave_to_a_newer_one(entry, str(error))
            return None
        except BadMessage as error:
            await self._bury(entry, "unreadable", str(error))
            return None

    async def _leave_to_a_newer_one(self, entry: Entry, error: str) -> None:
        """While processes of two versions run, an older one gets what only a newer one can read."""
        if entry.deliveries >= MOST_LEFT:
            await self._bury(entry, "unknown kind", error)
            return
        if entry.deliveries == 1:
            logger.warning("message is left to a newer program", inbox=self.name, entry=entry.id, error=error)
        try:
            await put_aside(self._wire, entry, after_s=LEFT_S)
        except (LeaseLost, InboxFull) as why:
            logger.warning("not put aside, it will be taken over", inbox=self.name, entry=entry.id, error=str(why))
        self._let_go(entry)

    def _decoded(self, raw: bytes) -> Envelope:
        if len(raw) > MOST_READ_BYTES:
            raise BadMessage(
                f"it has {len(raw):,} bytes, and a message may have {MOST_READ_BYTES:,}; its first {SHOWN_BYTES:,} are kept"
            )
        envelope = Envelope.decode(raw)
        if envelope.run != self._wire.keys.run or envelope.recipient != self.name:
            raise BadMessage(f"addressed to {envelope.recipient} of run {envelope.run}, found in inbox {self.name}")
        if not is_uuid(envelope.id):
            raise BadMessage(f"its id {envelope.id!r} is no UUID")
        return envelope

    async def _bury(self, entry: Entry, reason: str, error: str) -> None:
        logger.error("message is a dead letter", inbox=self.name, entry=entry.id, reason=reason, error=error)
        try:
            await bury(self._wire, entry, reason, error, failures=entry.failures)
        except (LeaseLost, InboxFull) as why:
            logger.warning("not buried yet, it will be taken over", inbox=self.name, entry=entry.id, error=str(why))
        self._let_go(entry)

    def _let_go(self, entry: Entry) -> None:
        # An earlier delivery of an entry that this consumer was given again says nothing about the later one.
        if self._held.get(entry.id) == entry.count:
            del self._held[entry.id]
