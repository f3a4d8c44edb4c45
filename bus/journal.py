"""The journal: one entry per step, with a number of its own; from it alone everything else can be rebuilt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import TYPE_CHECKING, Literal, cast

from loguru import logger
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from callboard.bus.board import Change, decode_doc
from callboard.bus.caps import OpenCall, Spent
from callboard.bus.errors import BadMessage
from callboard.bus.messages import Envelope

if TYPE_CHECKING:
    from callboard.bus.archive import Archive
    from callboard.bus.keys import Keys
    from callboard.bus.link import Link

Step = Literal["send", "commit", "emit", "timer", "bury", "retry", "drop", "reserve", "settle", "snapshot"]

ABOUT = "read the journal"
CHUNK = 200
"""Entries read at once."""
FOLLOW_BLOCK_S = 1.0


class BoardChange(BaseModel):
    """A board field's new document, as its JSON."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    field: str
    doc: str

    def change(self) -> Change:
        return Change(self.field, decode_doc(self.field, self.doc))


class TimerSet(BaseModel):
    """A message that will be sent `after_ms` milliseconds after its entry."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    after_ms: int
    message: str
    """The message's JSON."""


class DeadNote(BaseModel):
    """What was buried, or (steps retry and drop) which dead letter was taken away."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    letter: int = 0
    """Steps retry and drop: the number of the entry that buried it."""
    inbox: str
    reason: str = ""
    error: str = ""
    failures: int = 0
    lives: int = 0
    """How often it had been delivered."""
    raw: str = ""
    """The message's JSON; bytes that are no UTF-8 are escaped."""


class PaidCall(BaseModel):
    """What a call was reserved for, and what it did cost."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    call: OpenCall
    paid: Spent


class JournalEntry(BaseModel):
    """One step of the run."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seq: int
    """The run's own count of entries, from 1 without gaps."""
    at: AwareDatetime
    """The server's time."""
    step: Step
    cause: str = ""
    """The id of the message that was being handled; "" when there was none."""
    sender: str = ""
    """Who took the step."""
    messages: tuple[Envelope, ...] = ()
    """Everything that was sent, what goes to the journal alone included."""
    changes: tuple[BoardChange, ...] = ()
    timers: tuple[TimerSet, ...] = ()
    cancelled: tuple[str, ...] = ()
    """How the messages of timers begin that were taken away; those whose place another took are not said."""
    deliveries: int = 0
    """Step emit: how often the cause had been delivered."""
    dead: DeadNote | None = None
    call: OpenCall | None = None
    """Step reserve: what is held back."""
    paid: PaidCall | None = None
    """Step settle: one call."""
    unread: tuple[str, ...] = ()
    """Messages of kinds this program does not know, as JSON."""


def encode_entry(
    step: Step,
    *,
    sender: str,
    cause: str = "",
    messages: Iterable[str] = (),
    changes: Iterable[tuple[str, str]] = (),
    timers: Iterable[tuple[int, str]] = (),
    cancelled: Sequence[str] = (),
    deliveries: int = 0,
    dead: DeadNote | None = None,
    call: OpenCall | None = None,
    paid: PaidCall | None = None,
) -> str:
    """The JSON of an entry but for `seq` and `at`, which the server adds. Messages are given as their JSON."""
    # By hand: one is written for every message that is handled, and most say little.
    changed = (f'{{"field": {quoted(field)}, "doc": {quoted(doc)}}}' for field, doc in changes)
    timed = (f'{{"after_ms": {after}, "message": {quoted(raw)}}}' for after, raw in timers)
    parts = [
        f'"step":"{step}","cause":{quoted(cause)},"sender":{quoted(sender)},"messages":[{",".join(messages)}]',
        f'"changes":[{", ".join(changed)}],"timers":[{", ".join(timed)}]',
    ]
    if cancelled:
        parts.append(f'"cancelled":[{",".join(map(quoted, cancelled))}]')
    if deliveries:
        parts.append(f'"deliveries":{deliveries}')
    if call is not None:
        parts.append(f'"call":{call.model_dump_json()}')
    if dead is not None:
        parts.append(f'"dead":{dead.model_dump_json()}')
    if paid is not None:
        parts.append(f'"paid":{paid.model_dump_json()}')
    return "{" + ",".join(parts) + "}"


def encode_empty(step: Step, *, sender: str, cause: str) -> str:
    """The same of a step that has led to nothing; most messages are only acknowledged."""
    return (
        f'{{"step":"{step}","cause":{quoted(cause)},"sender":{quoted(sender)},"messages":[],"changes":[],"timers":[]}}'
    )


def decode_entry(fields: Mapping[bytes, bytes]) -> JournalEntry:
    """Read an entry of the journal's stream; messages nobody here knows are kept as text.

    Raises:
        BadMessage: It is no journal entry.
    """
    try:
        doc = json.loads(fields[b"entry"])
        if not isinstance(doc, dict):
            raise ValueError("it is no JSON object")
        known, unread = [], []
        for raw in doc.get("messages", ()):
            try:
                known.append(Envelope.model_validate(raw))
            except (BadMessage, ValidationError):
                unread.append(json.dumps(raw))
        doc |= {"seq": int(fields[b"seq"]), "at": int(fields[b"at"]) / 1000, "messages": known, "unread": unread}
        return JournalEntry.model_validate(doc)
    except (KeyError, ValueError) as error:
        raise BadMessage(f"not a journal entry: {str(error)[:500]}") from error


Row = tuple[bytes, list[bytes]]


def fields_of(row: Row) -> dict[bytes, bytes]:
    return dict(zip(row[1][::2], row[1][1::2], strict=True))


class JournalReader:
    """Reads one run's journal by `seq`; the ids of the stream are only places in it.

    Args:
        archive: Has what was trimmed; None = what the stream holds has to do.
    """

    def __init__(self, link: Link, keys: Keys, archive: Archive | None = None) -> None:
        self._link = link
        self._keys = keys
        self._archive = archive

    async def seq(self) -> int:
        """The number of the last entry; 0 before the first."""
        return int(cast(bytes | None, await self._link.command("GET", self._keys.seq, about=ABOUT)) or 0)

    def entries(self, after: int, *, follow: bool) -> AsyncIterator[JournalEntry]:
        """Entries with a higher `seq`, in order; with `follow` it waits for more and never ends."""
        if self._archive is not None:
            return self._all_entries(self._archive, after, follow=follow)
        return self._stream_entries(after, follow=follow)

    async def _all_entries(self, archive: Archive, after: int, *, follow: bool) -> AsyncIterator[JournalEntry]:
        """First what is archived, then the stream: a server that lost its data counts anew until they are restored."""
        place: str | None = None
        while True:
            for n, kept in enumerate(archive.rows(after)):
                after = kept.seq
                yield decode_entry({b"seq": b"%d" % after, b"at": b"%d" % kept.at, b"entry": kept.entry.encode()})
                if n % CHUNK == CHUNK - 1:
                    await asyncio.sleep(0)
            place = await self._place_of(after) if place is None else place
            rows = await self._rows("XRANGE", f"({place}" if place else "-", "+", CHUNK)
            fresh = [decode_entry(fields_of(row)) for row in rows]
            fresh = [entry for entry in fresh if entry.seq > after]
            last = archive.last()
            if fresh and last is not None and last.seq > after:
                continue  # archived meanwhile, and perhaps trimmed
            if fresh and fresh[0].seq > after + 1 and after:
                logger.error("entries of the journal are neither in its stream nor archived", read=after)
            for entry in fresh:
                after = entry.seq
                yield entry
            place = rows[-1][0].decode() if rows else place
            if not rows and not follow:
                return
            if not rows:
                await self._wait(place or "0-0")

    async def _stream_entries(self, after: int, *, follow: bool) -> AsyncIterator[JournalEntry]:
        if after > max(await self.seq(), await self._newest()):
            logger.error("journal is shorter than what was read of it, reading it from its beginning", read=after)
            after = 0
        place, previous = await self._place_of(after), 0
        while True:
            rows = await self._rows("XRANGE", f"({place}" if place else "-", "+", CHUNK)
            is_new = not rows and 0 < await self._newest() < previous
            for row in rows:
                entry = decode_entry(fields_of(row))
                if is_new := entry.seq <= previous:
                    break
                place, previous = row[0].decode(), entry.seq
                if entry.seq > after:
                    yield entry
            if is_new:
                logger.error("journal began anew on the server, reading it from its beginning", read=previous)
                place, previous, after = "", 0, 0
            elif not rows and not follow:
                return
            elif not rows:
                await self._wait(place or "0-0")

    async def _newest(self) -> int:
        """The number of the last entry that is there; 0 when none is."""
        rows = await self._rows("XREVRANGE", "+", "-", 1)
        return int(fields_of(rows[0])[b"seq"]) if rows else 0

    async def _rows(self, command: str, start: str, end: str, count: int) -> list[Row]:
        reply = await self._link.command(command, self._keys.journal, start, end, "COUNT", count, about=ABOUT)
        return cast(list[Row], reply)

    async def _place_of(self, after: int) -> str:
        """A place before the first entry with a higher `seq`, by bisecting the milliseconds of the ids; "" = the start."""
        oldest, newest = await self._rows("XRANGE", "-", "+", 1), await self._rows("XREVRANGE", "+", "-", 1)
        if after <= 0 or not oldest or not newest:
            return ""
        low, high = (int(row[0].partition(b"-")[0]) for row in (oldest[0], newest[0]))
        while high - low > 1:
            middle = (low + high) // 2
            row = await self._rows("XRANGE", f"{middle}-0", "+", 1)
            if row and int(fields_of(row[0])[b"seq"]) <= after:
                low = middle
            else:
                high = middle
        return f"{low - 1}-0"

    async def _wait(self, place: str) -> None:
        args = ("XREAD", "BLOCK", int(FOLLOW_BLOCK_S * 1000), "COUNT", 1, "STREAMS", self._keys.journal, place)
        await self._link.block(*args, block_s=FOLLOW_BLOCK_S, about=ABOUT)
