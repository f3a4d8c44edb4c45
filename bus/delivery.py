"""One leased message: emit while working on it, then commit, fail, reject or release it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from callboard.bus.committer import Answer, Commit, Committer, telling
from callboard.bus.envelope import MOST_READ_BYTES
from callboard.bus.errors import InboxFull, LeaseLost
from callboard.bus.journal import DeadNote, Step
from callboard.bus.keys import Keys
from callboard.bus.link import Link
from callboard.bus.messages import Draft, Envelope, Outcome
from callboard.bus.parcel import KEEP_MS, Arg, Parcel, pack_emitted, pack_outcome
from callboard.bus.redaction import Redactor
from callboard.bus.script import Part, checked, text

MOST_FAILURES = 5
"""Failures after which a message becomes a dead letter."""
SHOWN_BYTES = 10_000
"""Of a message that is too large: all that is kept of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A pending entry of an inbox as this consumer was given it: what the fence compares."""

    inbox: str
    """The inbox's name; also the sender of what its handler sends."""
    consumer: str
    id: str
    count: int
    """The server's delivery count."""
    raw: bytes
    lives: int = 0
    """Deliveries before it was dead and came back."""
    raised: int = 0
    """Failures so far because a handler raised."""
    died: int = 0
    """Failures so far because a process died with it and had shown no progress."""
    error: str = ""
    """What the last failure said."""
    field: str = field(init=False)
    """What failures and leases are kept under."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", f"{self.inbox}/{self.id}")

    @property
    def fence(self) -> list[Arg]:
        return [self.consumer, self.id, self.count, self.field]

    @property
    def deliveries(self) -> int:
        return self.lives + self.count

    @property
    def failures(self) -> int:
        return self.raised + self.died


@dataclass(frozen=True, slots=True)
class Wire:
    """What every delivery of a run needs."""

    link: Link
    keys: Keys
    now: Callable[[], datetime]
    redactor: Redactor = field(default_factory=Redactor)
    """Whatever is sent goes through it."""
    commits: Committer = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "commits", Committer(self.link, self.keys))


class Delivery:
    """A message that this consumer holds, until it settles it or loses its lease.

    Every method raises LeaseLost when somebody else holds the entry; nothing was written then.
    """

    def __init__(self, wire: Wire, entry: Entry, envelope: Envelope, settled: Callable[[Entry], None]) -> None:
        self.envelope = envelope
        self.entry = entry
        self._wire = wire
        self._settled = settled
        self._emitted = 0

    @property
    def deliveries(self) -> int:
        """How often it was delivered, over all its lives."""
        return self.entry.deliveries

    @property
    def is_suspect(self) -> bool:
        """Whether a process died with it: `begin` has to be called before its handler starts."""
        return self.entry.died > 0

    async def begin(self) -> None:
        """Say that the handler of a suspect starts now; before, the death of this process does not count against it."""
        keys = self._wire.keys
        await self._run("begin", [self._inbox, keys.held], self.entry.fence)

    async def emit(self, *drafts: Draft) -> None:
        """Send while working, without an ack.

        Raises:
            LeaseLost, NotAllowed, InboxFull, BusUnavailable
        """
        if not drafts:
            return
        parcel = pack_emitted(
            drafts,
            self.envelope,
            self.deliveries,
            self._emitted,
            sender=self.entry.inbox,
            now=self._wire.now(),
            redactor=self._wire.redactor,
        )
        self._emitted += len(drafts)
        keys = self._wire.keys
        limit, member = self._wire.link.inbox_limit, f"e:{parcel.messages[0][0].id}"
        args = [member, KEEP_MS, limit, self._entry_json(parcel, "emit"), *parcel.message_args(keys)]
        try:
            await self._run(
                "emit",
                [
                    *(self._inbox, keys.journal, keys.seq, keys.done, keys.failures, keys.held, keys.counts),
                    *parcel.destinations(keys),
                ],
                [*self.entry.fence, *args],
            )
        except InboxFull:
            # nothing was written: tried again, they have the same ids
            self._emitted -= len(drafts)
            raise

    async def commit(self, outcome: Outcome) -> None:
        """Send what follows, change the board and acknowledge, in one step. A repeat of one that went through is fine.

        Raises:
            LeaseLost, BoardStale, NotAllowed, InboxFull, BusUnavailable
        """
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.commit_soon(outcome, telling(answered))
        await answered

    def commit_soon(self, outcome: Outcome, answer: Answer) -> None:
        """The same for whoever does not wait: what `commit` would raise because of the server, `answer` hears later.

        Raises:
            NotAllowed, ValueError: The outcome cannot be sent; nobody hears more of it.
        """
        parcel, entry = self._packed(outcome), self.entry
        journal = self._entry_json(parcel, "commit")
        member = f"c:{self.envelope.id}"
        commit = Commit(entry.inbox, entry.fence, member, parcel, journal, self.envelope.kind)

        def hear(error: BaseException | None) -> None:
            if error is None or isinstance(error, LeaseLost):
                self._settled(entry)
            answer(error)

        self._wire.commits.submit(commit, hear)

    async def fail(self, error: str, *, after_s: float = 0.0) -> None:
        """Count a failure; it is delivered again after a delay, or becomes a dead letter at MOST_FAILURES."""
        keys, error = self._wire.keys, self._wire.redactor.text(error)
        reply = await self._run(
            "fail",
            [self._inbox, keys.failures, keys.held, keys.counts],
            [*self.entry.fence, error, round(after_s * 1000), MOST_FAILURES],
        )
        if (failures := int(text(reply[0]))) >= MOST_FAILURES:
            await self._bury(f"{failures} failures", error, failures)
        self._settled(self.entry)

    async def reject(self, reason: str, *notes: Draft) -> None:
        """Make it a dead letter at once; `notes` go to the journal in the same step."""
        parcel = self._packed(Outcome(messages=notes))
        # what it emitted has shown that this process lives, so the deaths before do not count
        failures = self.entry.raised if self._emitted else self.entry.failures
        await self._bury("rejected", reason, failures, parcel)
        self._settled(self.entry)

    async def release(self) -> None:
        """Give it back on a clean stop: the next consumer gets it at once, and its failures are forgotten."""
        keys = self._wire.keys
        places = [self._inbox, keys.failures, keys.held, keys.counts]
        await self._run("release", places, [*self.entry.fence, 0])
        self._settled(self.entry)

    def forget(self) -> None:
        """It was heard elsewhere that the lease is lost: this consumer may be given the entry again."""
        self._settled(self.entry)

    async def _bury(self, reason: str, error: str, failures: int, parcel: Parcel | None = None) -> None:
        try:
            await bury(self._wire, self.entry, reason, error, failures=failures, parcel=parcel)
        except LeaseLost:
            self._settled(self.entry)
            raise

    def _packed(self, outcome: Outcome) -> Parcel:
        wire = self._wire
        return pack_outcome(outcome, self.envelope, sender=self.entry.inbox, now=wire.now(), redactor=wire.redactor)

    @property
    def _inbox(self) -> str:
        return self._wire.keys.inbox(self.entry.inbox)

    def _entry_json(self, parcel: Parcel, step: Step) -> str:
        deliveries = self.deliveries if step == "emit" else 0
        return parcel.entry(step, sender=self.entry.inbox, cause=self.envelope.id, deliveries=deliveries)

    async def _run(self, script: str, keys: list[str], args: list[Arg]) -> list[Part]:
        about = f"{script} {self.envelope.kind} {self.entry.field}"
        try:
            return checked(await self._wire.link.script(script, keys, args, about=about), about)
        except LeaseLost:
            self._settled(self.entry)
            raise


async def put_aside(wire: Wire, entry: Entry, *, after_s: float) -> None:
    """Leave an entry that this consumer holds for another one; nobody gets it before the delay is over.

    Raises:
        LeaseLost: Somebody else holds it now.
    """
    keys, about = wire.keys, f"put aside {entry.field}"
    places = [keys.inbox(entry.inbox), keys.failures, keys.held, keys.counts]
    checked(await wire.link.script("release", places, [*entry.fence, round(after_s * 1000)], about=about), about)


async def bury(
    wire: Wire, entry: Entry, reason: str, error: str, *, failures: int, parcel: Parcel | None = None
) -> None:
    """Make an entry that this consumer holds a dead letter; what is in `parcel` is written down with it.

    Raises:
        LeaseLost: Somebody else holds it now.
    """
    is_large = len(entry.raw) > MOST_READ_BYTES
    # copying what is too large would hold up everybody (20 ms of the server for 5 MB): its beginning is kept
    kept = entry.raw[:SHOWN_BYTES] if is_large else entry.raw
    raw, error = kept.decode("utf-8", "backslashreplace"), wire.redactor.text(error)
    note = DeadNote(inbox=entry.inbox, reason=reason, error=error, failures=failures, lives=entry.deliveries, raw=raw)
    cause = "" if is_large else id_of(entry.raw)
    journal = (parcel or Parcel(())).entry("bury", sender=entry.inbox, cause=cause, dead=note)
    keys, about = wire.keys, f"bury {entry.field}"
    reply = await wire.link.script(
        "bury",
        [keys.inbox(entry.inbox), keys.journal, keys.seq, keys.failures, keys.held, keys.dead, keys.counts],
        [*entry.fence, entry.inbox, reason, error, failures, entry.deliveries, journal, kept if is_large else ""],
        about=about,
    )
    checked(reply, about)


def id_of(raw: bytes) -> str:
    """The id of a message that may not be readable otherwise; "" when it has none."""
    try:
        doc = json.loads(raw)
    except ValueError:
        return ""
    return str(doc.get("id", "")) if isinstance(doc, dict) else ""
