"""The scribe: folds a run's journal into the feedback logs and their branches; one per run.

What is in the files decides where it goes on, so it can be killed at any byte: it reads the journal from the beginning,
mends a torn end, and passes over what a log has. An entry reaches the file at once with one write; files are synced to
disk before every commit of their branches, which follows an entry by `commit_every_s` at most. What the machine itself
loses before that is written again from the journal.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from loguru import logger

from callboard.bus.ending import end
from callboard.bus.errors import BusError, WorkspaceError
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import JOURNAL, Draft, Envelope, FeedbackLogged, MessageRefused
from callboard.bus.redaction import Redactor
from callboard.feedback.document import HandedIn, document_of
from callboard.feedback.entry import Entry, EntryId
from callboard.feedback.log import ROTATE_BYTES, FeedbackLog, is_log_name, logs_in
from callboard.feedback.record import AgentRecord, History

GIVE_UP_S = 30.0
"""How long a scribe that is to stop waits for an entry that should be there: a server that was lost is restored in seconds."""


class Journal(Protocol):
    """The bus, as far as the scribe needs it."""

    def journal(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[JournalEntry]: ...

    async def seq(self) -> int: ...

    async def send(self, draft: Draft, *, sender: str, idempotency_key: str = "") -> Envelope: ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was not written down, and why."""

    envelope: Envelope
    reason: str


class Scribe:
    """The only writer of a workspace's feedback logs.

    Args:
        run: Whose journal it is.
        folder: Where the logs are; made when the first one is written.
        may_send: (sender, kind) -> whether its role may; the scribe is the receiver of what goes to the journal.
        clock: Seconds that never go back; only differences count.
        commit_every_s: The longest an entry waits for its commit. 5 s: short for who reads the branch, long enough that
            a burst of entries is one commit.
        redactor: Goes over every entry once more: whoever reached the bus by another way sent it as it was.
    """

    def __init__(
        self,
        run: str,
        folder: Path,
        history: History,
        *,
        may_send: Callable[[str, str], bool],
        clock: Callable[[], float],
        commit_every_s: float = 5.0,
        rotate_bytes: int = ROTATE_BYTES,
        redactor: Redactor | None = None,
    ) -> None:
        self._run = run
        self._folder = folder
        self._history = history
        self._may_send = may_send
        self._clock = clock
        self._commit_every_s = commit_every_s
        self._rotate_bytes = rotate_bytes
        self._redactor = redactor or Redactor()
        self._records: dict[str, AgentRecord] = {}
        self._commit_at: float | None = None
        self._seq = 0
        ids = (FeedbackLog(folder, agent).last_id(run) for agent in logs_in(folder))
        self._seen_before = max((id.seq for id in ids if id), default=0)

    @property
    def seq(self) -> int:
        """The last journal entry that was folded."""
        return self._seq

    async def run(self, bus: Journal, stop: asyncio.Event) -> None:
        """Fold until `stop` is set and everything that was in the journal by then is folded and committed.

        Raises:
            WorkspaceError: A log could not be written. A new scribe goes on where this one ended.
            BusError: The journal could not be read.
        """
        entries = bus.journal(0, follow=True)
        coming = asyncio.ensure_future(anext(entries))
        stopping = asyncio.ensure_future(stop.wait())
        last: int | None = None
        moved_at = self._clock()
        try:
            while last is None or self._seq < last:
                await self._next_or(coming, stopping)
                if coming.done():
                    await self._take(bus, coming.result())
                    coming = asyncio.ensure_future(anext(entries))
                    moved_at = self._clock()
                if stopping.done():
                    # a server that has lost its data counts from 0 again
                    last = min(await bus.seq(), last or sys.maxsize)
                    if self._seq < last and self._clock() - moved_at > GIVE_UP_S:
                        raise BusError(f"entries {self._seq + 1} to {last} of the journal do not come")
                if self._until_commit() == 0:
                    await self._commit_aside()
        finally:
            await end(coming)
            await end(stopping)
            await self._commit_aside()

    async def _next_or(self, coming: asyncio.Future[JournalEntry], stopping: asyncio.Task[Literal[True]]) -> None:
        """Wait for an entry, for the stop, or until it is time to commit; once stopping for a second at most."""
        timeout_s = self._until_commit()
        if not stopping.done():
            both: set[asyncio.Future[Any]] = {coming, stopping}
            await asyncio.wait(both, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.wait({coming}, timeout=1.0 if timeout_s is None else min(1.0, timeout_s))

    def fold(self, entry: JournalEntry) -> tuple[Refusal, ...]:
        """Write down what one journal entry says; the same entry again changes nothing.

        Returns:
            What was refused and not recorded as such before.

        Raises:
            WorkspaceError: A log could not be written.
        """
        if entry.seq <= self._seq:
            return ()
        found = [self._fold_message(entry, EntryId(self._run, entry.seq, n)) for n in range(1, len(entry.messages) + 1)]
        self._seq = entry.seq
        if self._commit_at is None and any(record.pending for record in self._records.values()):
            self._commit_at = self._clock() + self._commit_every_s
        # an entry of a later step was only written once the refusals of the earlier ones were recorded
        return tuple(refusal for refusal in found if refusal and entry.seq >= self._seen_before)

    def commit(self) -> None:
        """Bring every log branch up to date; one that cannot be written is logged and tried again later."""
        failed = False
        for agent, record in self._records.items():
            try:
                record.commit()
            except (WorkspaceError, OSError) as error:
                failed = True
                logger.bind(run=self._run, agent=agent).error("log branch not written, trying again", reason=str(error))
        self._commit_at = self._clock() + self._commit_every_s if failed else None

    def _fold_message(self, entry: JournalEntry, id: EntryId) -> Refusal | None:
        envelope = entry.messages[id.n - 1]
        if not isinstance(envelope.body, FeedbackLogged | HandedIn):
            return None
        envelope = Envelope.decode(envelope.encode(self._redactor))
        if isinstance(envelope.body, FeedbackLogged):
            return self._write(envelope, envelope.body, entry, id)
        if isinstance(envelope.body, HandedIn) and is_log_name(envelope.sender) and self._may(envelope):
            self._record(envelope.sender).keep(document_of(envelope, envelope.body), entry.seq, entry.at)
        return None

    def _write(self, envelope: Envelope, body: FeedbackLogged, entry: JournalEntry, id: EntryId) -> Refusal | None:
        sender = envelope.sender
        if body.log != sender:
            return Refusal(envelope, f"{sender} may not write to the log of {body.log}")
        # an entry that is in the log was allowed when it came; a roster may have shrunk since
        if not is_log_name(sender) or not (self._may(envelope) or self._record(sender).has(id)):
            return Refusal(envelope, f"{sender} may not have a feedback log")
        title = body.title.removeprefix(f"{envelope.task} ") if envelope.task else body.title
        written = Entry(id, entry.at, body.entry, envelope.task, title, body.facts, body.text)
        self._record(sender).add(written)
        return None

    def _may(self, envelope: Envelope) -> bool:
        return self._may_send(envelope.sender, envelope.kind)

    def _record(self, agent: str) -> AgentRecord:
        if agent not in self._records:
            log = FeedbackLog(self._folder, agent, rotate_bytes=self._rotate_bytes)
            self._records[agent] = AgentRecord(log, self._history, self._run)
        return self._records[agent]

    def _until_commit(self) -> float | None:
        return None if self._commit_at is None else max(0.0, self._commit_at - self._clock())

    async def _take(self, bus: Journal, entry: JournalEntry) -> None:
        for refusal in self.fold(entry):
            refused = refusal.envelope
            body = MessageRefused(
                refused=refused.id, refused_kind=refused.kind, refused_sender=refused.sender, reason=refusal.reason
            )
            draft = Draft(JOURNAL, body, refused.task, refused.attempt)
            await bus.send(draft, sender="launcher", idempotency_key=f"refused/{refused.id}")

    async def _commit_aside(self) -> None:
        """Commit in a thread; a cancellation waits for it, so that two commits never run at once."""
        work = asyncio.ensure_future(asyncio.to_thread(self.commit))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            await work
            raise
