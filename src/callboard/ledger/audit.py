"""Whether a ledger is what was archived: every hash, every row that follows from the journal, and the archive beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import islice

from sqlalchemy import Connection, select

from callboard.bus.archive import FIRST_HASH, Archive, Row, next_hash
from callboard.bus.errors import BusError, LedgerBroken
from callboard.ledger import store
from callboard.ledger.database import Database
from callboard.ledger.fold import Batch, Standing, fold
from callboard.ledger.records import CallRecord, DocumentRecord, Record, RunRecord, TierRecord
from callboard.ledger.tables import FOLDED, JOURNAL

BATCH = 1_000
Key = tuple[str, ...]
Rows = dict[type[Record], dict[Key, Record]]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that is not as it has to be."""

    table: str
    row: str
    """Its key behind the run's, such as an entry's number."""
    why: str

    def __str__(self) -> str:
        return f"table {self.table}, row {self.row}: {self.why}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at of one run."""

    run: str
    entries: int
    """Those that are right."""
    rows: int
    """Those that follow from them, of all tables."""
    fault: Fault | None


class _Found(Exception):
    def __init__(self, table: str, row: object, why: str) -> None:
        self.fault = Fault(table, str(row), why)


def verify(database: Database, run: str, archive: Archive) -> Verified:
    """Look at every row of a run, in one moment of the ledger.

    The journal first, from its first entry: its hashes tell what was changed, removed or put in between. Who changes a row
    and makes all hashes behind it anew is told by the archive, which has them too. Then what follows from the journal.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    count = _Count()
    with database.reading() as connection:
        try:
            rows = _journal(connection, run, archive, count)
            found = _tables(connection, run, rows)
        except _Found as error:
            return Verified(run, count.entries, 0, error.fault)
    return Verified(run, count.entries, found, None)


@dataclass(slots=True)
class _Count:
    entries: int = 0


def _journal(connection: Connection, run: str, archive: Archive, count: _Count) -> Iterator[Row]:
    """The entries, each once it is known to be right."""
    asked = select(JOURNAL.c.seq, JOURNAL.c.at, JOURNAL.c.hash, JOURNAL.c.entry).where(JOURNAL.c.run == run)
    found = connection.execution_options(yield_per=BATCH).execute(asked.order_by(JOURNAL.c.seq))
    seq, hash, others = 0, FIRST_HASH, _Beside(archive)
    for one in found:
        row = Row(one.seq, one.at, one.entry)
        if row.seq != seq + 1 and not row.is_snapshot:
            raise _Found("journal", seq + 1, f"it is missing: entry {row.seq} stands behind entry {seq}")
        seq, hash = row.seq, next_hash(hash, row)
        if hash != one.hash:
            raise _Found(
                "journal", seq, "its hash does not follow from the row before and itself: one of them was changed"
            )
        others.compare(row)
        count.entries += 1
        yield row
    head = store.head_of(connection, run)
    if head is None or (head.seq, head.hash) != (seq, hash):
        said = f"entry {head.seq}" if head else "nothing"
        raise _Found(
            "archived",
            run,
            f"it says {said}, and the journal ends with entry {seq}: its end was removed, or this row changed",
        )


class _Beside:
    """The archive, read beside the ledger. One that began anew, or is not here, has less to say."""

    def __init__(self, archive: Archive) -> None:
        self._rows = archive.rows()
        self._next = self._step()

    def compare(self, row: Row) -> None:
        while self._next is not None and self._next.seq < row.seq:
            self._next = self._step()
        there = self._next
        if there is None or there.seq != row.seq or there.is_snapshot:
            return
        if (there.at, there.entry) != (row.at, row.entry):
            raise _Found(
                "journal",
                row.seq,
                "it is another one in the archive, which is whole: it was changed, and hashes made anew",
            )

    def _step(self) -> Row | None:
        try:
            return next(self._rows, None)
        except BusError as error:
            raise _Found("archive", "-", str(error)) from error


def _tables(connection: Connection, run: str, rows: Iterator[Row]) -> int:
    """How many rows follow from the journal, where all are there and no other."""
    head = store.head_of(connection, run)
    due, standing = Rows(), Standing(run, head.project if head else "")
    while taken := list(islice(rows, BATCH)):
        try:
            batch = fold(standing, taken)
        except LedgerBroken as error:
            raise _Found("journal", taken[0].seq, str(error)) from error
        standing = batch.standing
        _apply(batch, due)
    return sum(_compare(connection, run, kind, due.get(kind, {})) for kind in FOLDED)


def _apply(batch: Batch, due: Rows) -> None:
    if batch.begins_anew:
        for kind in set(due) - {CallRecord, DocumentRecord}:
            del due[kind]
    if any(isinstance(record, RunRecord) for record in batch.records):
        due.pop(TierRecord, None)
    for record in batch.records:
        due.setdefault(type(record), {})[_key(record)] = record
    documents = due.get(DocumentRecord, {})
    for refusal in batch.refusals:
        known = documents.get((refusal.message,))
        if isinstance(known, DocumentRecord):
            documents[_key(known)] = known.refused_for(refusal.reason)


def _key(record: Record) -> Key:
    keys = [column.name for column in FOLDED[type(record)].primary_key if column.name != "run"]
    return tuple(str(getattr(record, name)) for name in keys)


def _compare(connection: Connection, run: str, kind: type[Record], due: dict[Key, Record]) -> int:
    table = FOLDED[kind]
    found = {}
    for row in connection.execute(select(table).where(table.c.run == run)).mappings():
        record = kind(**dict(row))
        found[_key(record)] = record
    for key in sorted({*due, *found}):
        here, there = found.get(key), due.get(key)
        if here != there:
            raise _Found(table.name, " ".join(key) or run, _difference(here, there))
    return len(found)


def _difference(here: Record | None, due: Record | None) -> str:
    if here is None:
        return "it is missing, and the journal says that it is there"
    if due is None:
        return "nothing in the journal says that it is there"
    names = [one.name for one in fields(here) if getattr(here, one.name) != getattr(due, one.name)]
    return f"{', '.join(names)}: not what the journal says; `callboard rebuild --ledger` writes the tables anew"
