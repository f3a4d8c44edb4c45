"""The bus as everybody uses it: connect, send, read an inbox, read the journal and the board."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import Self, cast

from loguru import logger

from callboard.bus.archive import Archive
from callboard.bus.board import Board, Change, D, RunDoc, decode_doc
from callboard.bus.clock import utc_now
from callboard.bus.consumers import Consumer, read_consumers
from callboard.bus.dead_letters import DeadLetter, DeadLetters
from callboard.bus.delivery import Wire
from callboard.bus.errors import BoardStale, BusError, ServerTooOld
from callboard.bus.gauges import BusGauges, read_gauges
from callboard.bus.inbox import Inbox
from callboard.bus.inboxes import Inboxes
from callboard.bus.journal import JournalEntry, JournalReader
from callboard.bus.keys import Keys
from callboard.bus.link import Link, shown
from callboard.bus.messages import Draft, Envelope, new_id
from callboard.bus.parcel import KEEP_MS, KEEP_OUTSIDE_MS, Parcel, check_sender
from callboard.bus.redaction import Redactor
from callboard.bus.run_data import RunData
from callboard.bus.script import checked
from callboard.bus.spending import Spending
from callboard.bus.store import Store
from callboard.bus.timers import Timers

NEEDED = ("XAUTOCLAIM", "EVALSHA_RO", "XINFO", "XPENDING")
"""Commands that tell whether a server is new enough: EVALSHA_RO came with Redis 7.0. Versions do not tell: Valkey 9 says 7.2."""
CONNECT_S = 5.0
"""How long the first connection may take: a server that was just started still loads its data."""
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Bus:
    """One run's messages, board and journal on one server. Safe to use from many tasks at once."""

    def __init__(
        self,
        link: Link,
        run: str,
        now: Callable[[], datetime] = utc_now,
        redactor: Redactor | None = None,
        archive: Archive | None = None,
    ) -> None:
        self.run = run
        self._link = link
        self._keys = Keys(run)
        self._redactor = redactor or Redactor()
        self._wire = Wire(link, self._keys, now, self._redactor)
        self._now = now
        self._journal = JournalReader(link, self._keys, archive)
        self._dead = DeadLetters(self._wire)
        self._timers = Timers(link, self._keys)
        self.spending = Spending(link, self._keys)
        self.data = RunData(link, self._keys)
        self.store = Store(link, self._keys)

    @classmethod
    async def connect(
        cls,
        url: str,
        run: str,
        *,
        patience_s: float = 60.0,
        connect_s: float = CONNECT_S,
        redactor: Redactor | None = None,
        archive: Archive | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Connect to a server.

        Args:
            url: redis://, rediss:// or unix://, of a server or of any node of a cluster.
            run: The run's id: letters, digits, `.`, `_`, `-`.
            patience_s: How long a server that went away is waited for, later on, before BusUnavailable.
            connect_s: The same for this first time.
            redactor: What goes over everything that is sent; None = its rules without any known value.
            archive: Where the journal is read that was trimmed; None = what is on the server has to do.
            now: Says when messages were sent, for people; leases, timers and repeats go by the server's clock.

        Raises:
            BusUnavailable: No server answered, or it is not who it should be.
            ServerTooOld: It lacks a command the bus needs.
        """
        if not RUN_NAME.fullmatch(run):
            raise BusError(f"{run!r} is no name for a run; use letters, digits, '.', '_' and '-'")
        link = Link(url, patience_s=connect_s)
        try:
            await link.command("PING", about=f"connect to {shown(url)}")
            await link.choose(run)
            await _check_commands(link)
        except BaseException:
            await link.close()
            raise
        link.patience_s = patience_s
        return cls(link, run, now, redactor=redactor, archive=archive)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._wire.commits.close()
        await self._link.close()

    @property
    def url(self) -> str:
        return self._link.url

    @property
    def inbox_limit(self) -> int:
        """How many messages may wait in one inbox; 0 = any number."""
        return self._link.inbox_limit

    @property
    def keys(self) -> Keys:
        return self._keys

    async def send(self, draft: Draft, *, sender: str, idempotency_key: str = "") -> Envelope:
        """Start a chain. When it returns, the message is on the server for good.

        Args:
            idempotency_key: The same key again sends nothing new for 24 h, and gives the same id.

        Raises:
            NotAllowed, TooLarge, InboxFull, BusUnavailable
        """
        check_sender(draft, sender)
        id = (
            str(uuid.uuid5(uuid.NAMESPACE_URL, f"callboard:{self.run}/{idempotency_key}"))
            if idempotency_key
            else new_id()
        )
        envelope = draft.stamp(id=id, run=self.run, sender=sender, now=self._now())
        parcel = Parcel(((envelope, envelope.encode(self._redactor)),))
        await self._send(parcel, id, KEEP_OUTSIDE_MS if idempotency_key else KEEP_MS, sender)
        return envelope

    async def create_run(self, doc: RunDoc) -> bool:
        """Write the run's first document; False when the run exists."""
        try:
            await self.change([Change("run", doc.model_copy(update={"version": 1}))], sender="launcher")
        except BoardStale:
            return False
        return True

    async def change(self, changes: Sequence[Change], *, sender: str) -> None:
        """Change the board outside any message; for what comes before the first one: a run, a manager's office.

        Raises:
            BoardStale: A field does not have the expected version; nothing was written.
        """
        await self._send(Parcel((), changes=tuple(changes)), new_id(), KEEP_MS, sender)

    async def _send(self, parcel: Parcel, id: str, keep_ms: int, sender: str) -> None:
        keys, about = self._keys, "send a message"
        reply = await self._link.script(
            "send",
            [keys.journal, keys.seq, keys.done, keys.board, *parcel.destinations(keys)],
            [
                f"s:{id}",
                keep_ms,
                self._link.inbox_limit,
                parcel.entry("send", sender=sender),
                *parcel.message_args(keys),
                *parcel.change_args(),
            ],
            about=about,
        )
        checked(reply, about)

    async def board(self) -> Board:
        """The board at this moment; its fields by name, numbers in them by value."""
        reply = cast(list[bytes], await self._link.command("HGETALL", self._keys.board, about="read the board"))
        raw = {name.decode(): doc for name, doc in zip(reply[::2], reply[1::2], strict=True)}
        return Board({name: decode_doc(name, raw[name]) for name in sorted(raw, key=_by_number)})

    async def doc(self, name: str, kind: type[D]) -> D:
        """One field of the board; an empty document of version 0 when nobody wrote it yet."""
        raw = await self._link.command("HGET", self._keys.board, name, about="read the board")
        return Board({name: decode_doc(name, cast(bytes, raw))} if raw else {}).get(name, kind)

    def inbox(self, name: str, consumer: str) -> Inbox:
        return Inbox(self._wire, name, consumer)

    def inboxes(self, names: Sequence[str], consumer: str) -> Inboxes:
        """Many inboxes that one process reads with one command."""
        return Inboxes(self._wire, names, consumer)

    def journal(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[JournalEntry]:
        """Entries with a higher number than `after`, in order; with `follow` it waits for more and never ends."""
        return self._journal.entries(after, follow=follow)

    async def seq(self) -> int:
        """The number of the journal's last entry; 0 before the first."""
        return await self._journal.seq()

    async def backlog(self, names: Sequence[str]) -> dict[str, int]:
        """How many messages of each inbox are not handled yet: unread, or being worked on."""
        return {
            name: cast(int, await self._link.command("XLEN", self._keys.inbox(name), about="count a backlog"))
            for name in names
        }

    async def gauges(self, names: Sequence[str]) -> BusGauges:
        """How much there is of everything; of the inboxes with these names, one by one."""
        return await read_gauges(self._link, self._keys, names)

    async def consumers(self, inbox: str) -> tuple[Consumer, ...]:
        """Who reads an inbox."""
        return await read_consumers(self._link, self._keys, inbox)

    async def fire_due_timers(self) -> int:
        """Send the messages of timers whose time has come; how many this call sent."""
        return await self._timers.fire_due()

    async def dead(self) -> list[DeadLetter]:
        """Every dead letter, oldest first."""
        return await self._dead.all()

    async def dead_retry(self, id: str) -> None:
        """Put a dead letter's message back into its inbox.

        Raises:
            BusError: There is no such dead letter.
        """
        await self._dead.retry(id)

    async def dead_drop(self, id: str) -> None:
        """Delete a dead letter; the journal keeps it.

        Raises:
            BusError: There is no such dead letter.
        """
        await self._dead.drop(id)


def _by_number(name: str) -> tuple[str | int, ...]:
    """Sorts `task:T-10` after `task:T-9`."""
    return tuple(int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name))


async def _check_commands(link: Link) -> None:
    try:
        infos = cast(list[object], await link.command("COMMAND", "INFO", *NEEDED, about="ask which commands there are"))
    except BusError as error:
        logger.warning("server does not say which commands it has", error=str(error))
        return
    missing = [name for name, info in zip(NEEDED, infos, strict=True) if not info]
    if missing:
        raise ServerTooOld(f"the server lacks {', '.join(missing)}; Callboard needs Redis 7.0 or newer, or Valkey")
