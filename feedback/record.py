"""One agent's record: its log file, and the log's history on the branch `<agent>/log`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from callboard.feedback.document import Document
from callboard.feedback.entry import Entry, EntryId
from callboard.feedback.log import FeedbackLog

TRAILER = "Journal-Seq"
"""`<run>/<seq>`: everything of this agent up to that journal entry is in the branch with this commit."""


class History(Protocol):
    """Branches that files are committed to, without any checkout."""

    def commit(self, branch: str, files: Mapping[str, bytes], message: str, author: str, at: datetime) -> None:
        """Add or replace files on a branch, which may be new; nothing happens when they are there like that already."""
        ...

    def trailer(self, branch: str, name: str) -> str:
        """A trailer of the branch's last commit; "" when there is no such trailer or branch."""
        ...


@dataclass(frozen=True, slots=True)
class _Pending:
    """What was recorded and is not in the branch yet."""

    seq: int
    at: datetime
    count: int
    last: str


class AgentRecord:
    """Takes an agent's entries and documents in journal order; what it has already is passed over.

    Args:
        log: Mended when the record is made.
    """

    def __init__(self, log: FeedbackLog, history: History, run: str) -> None:
        log.mend(run)
        self._log = log
        self._history = history
        self._run = run
        self._branch = f"{log.agent}/log"
        self._written = log.last_id(run)
        self._committed = _seq_of(history.trailer(self._branch, TRAILER), run)
        self._pending: _Pending | None = None
        self._documents: dict[str, bytes] = {}
        self._archived: set[Path] = set()

    @property
    def pending(self) -> bool:
        """Whether something is not in the branch yet."""
        return self._pending is not None

    def has(self, id: EntryId) -> bool:
        """Whether the log has this entry of the run."""
        return self._written is not None and id <= self._written

    def add(self, entry: Entry) -> None:
        """Write an entry to the log.

        Raises:
            WorkspaceError: It could not be written; the log is as it was.
        """
        if not self.has(entry.id):
            self._log.append([entry])
            self._written = entry.id
        self._expect(entry.id.seq, entry.at, f"{entry.kind} {entry.task or entry.title}".strip())

    def keep(self, document: Document, seq: int, at: datetime) -> None:
        """Have a document committed with the log."""
        if seq > self._committed:
            self._documents[document.path] = document.content
        self._expect(seq, at, document.path)

    def commit(self) -> None:
        """Bring the branch up to date: first the log is synced to disk, so that no branch is ahead of its file.

        Raises:
            WorkspaceError: The log or the branch could not be written; the next call tries the same again.
        """
        if self._pending is None or not self._caught_up(self._pending.seq):
            return
        self._log.sync()
        seq, count, last = self._pending.seq, self._pending.count, self._pending.last
        subject = f"Log {count} {'entry' if count == 1 else 'entries'}, the last: {last}"
        message = f"{subject[:100]}\n\n{TRAILER}: {self._run}/{seq}"
        archived = {path for _, path in self._log.archived()}
        self._history.commit(self._branch, self._files(archived), message, self._log.agent, self._pending.at)
        self._committed = seq
        self._pending = None
        self._documents.clear()
        self._archived = archived

    def _caught_up(self, seq: int) -> bool:
        """Whether the file has nothing that is still to be passed over; a commit would bring more than it says."""
        return self._written is None or seq >= self._written.seq

    def _files(self, archived: set[Path]) -> dict[str, bytes]:
        # The first commit of a process names the whole archive: what an earlier one did not get to is in it.
        logs = {f"feedback/archive/{path.name}": path.read_bytes() for path in archived - self._archived}
        if self._log.path.exists():
            logs[f"feedback/{self._log.path.name}"] = self._log.path.read_bytes()
        elif archived:
            # killed between the move to the archive and the first entry after it: the branch has the moved file still
            logs[f"feedback/{self._log.path.name}"] = b""
        return logs | self._documents

    def _expect(self, seq: int, at: datetime, last: str) -> None:
        if seq > self._committed:
            count = self._pending.count + 1 if self._pending else 1
            self._pending = _Pending(seq, at, count, last)


def _seq_of(trailer: str, run: str) -> int:
    """The seq in a trailer of this run; 0 when it is another run's, or none."""
    its_run, _, seq = trailer.rpartition("/")
    return int(seq) if its_run == run and seq.isdigit() else 0
