"""What the archiver reads and writes of a ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from callboard.bus.archive import FIRST_HASH, Row, next_hash
from callboard.bus.board import PREFIXES, Board, Change, decode_doc
from callboard.bus.caps import Spent
from callboard.bus.errors import LedgerError
from callboard.ledger.database import Database
from callboard.ledger.fold import Batch, Standing
from callboard.ledger.records import BoardRecord, CallRecord, DocumentRecord, Record, RunRecord, SpendRecord, TierRecord
from callboard.ledger.tables import ARCHIVED, FOLDED, JOURNAL
from callboard.ledger.writing import Values, add, replace

_VALUES_OF: Mapping[type[Record], Callable[[Record], Values]] = {
    kind: attrgetter(*(column.name for column in table.columns)) for kind, table in FOLDED.items()
}
_KEY_OF: Mapping[type[Record], Callable[[Record], object]] = {
    kind: attrgetter(*(column.name for column in table.primary_key)) for kind, table in FOLDED.items()
}


@dataclass(frozen=True, slots=True)
class Head:
    """How far a run is archived in the ledger."""

    run: str
    project: str
    seq: int = 0
    at: int = 0
    hash: str = FIRST_HASH
    """Of the last row; it stands for everything before it."""


def heads(connection: Connection) -> dict[str, Head]:
    """Run -> how far."""
    return {
        row.run: Head(row.run, row.project, row.seq, row.at, row.hash) for row in connection.execute(select(ARCHIVED))
    }


def head_of(connection: Connection, run: str) -> Head | None:
    row = connection.execute(select(ARCHIVED).where(ARCHIVED.c.run == run)).first()
    return Head(row.run, row.project, row.seq, row.at, row.hash) if row else None


def entry_of(connection: Connection, run: str, seq: int) -> str | None:
    """A journal entry as the ledger has it."""
    return connection.execute(select(JOURNAL.c.entry).where(JOURNAL.c.run == run, JOURNAL.c.seq == seq)).scalar()


def standing(connection: Connection, head: Head) -> Standing:
    """What the next batch of a run goes on from."""
    board, spend, calls = FOLDED[BoardRecord], FOLDED[SpendRecord], FOLDED[CallRecord]
    docs = connection.execute(select(board.c.field, board.c.doc).where(board.c.run == head.run)).all()
    changes = (Change(field, decode_doc(field, doc)) for field, doc in docs if field.partition(":")[0] in PREFIXES)
    spent = connection.execute(select(spend).where(spend.c.run == head.run)).mappings()
    opened = connection.execute(select(calls).where(calls.c.run == head.run, calls.c.state == "open")).mappings()
    return Standing(
        head.run,
        head.project,
        head.seq,
        Board().with_changes(changes),
        {str(row["scope"]): Spent.model_validate(dict(row)) for row in spent},
        {str(row["id"]): CallRecord(**dict(row)) for row in opened},
    )


def board_of(connection: Connection, run: str) -> Board:
    """The board as the ledger's last entry of a run has left it."""
    return standing(connection, Head(run, "")).board


def chained(head: Head, rows: Iterable[Row]) -> list[dict[str, object]]:
    """Rows of the table `journal`, each with the hash over the one before and itself."""
    hash, made = head.hash, list[dict[str, object]]()
    for row in rows:
        hash = next_hash(hash, row)
        made.append({"run": head.run, "seq": row.seq, "at": row.at, "hash": hash, "entry": row.entry})
    return made


def keep(database: Database, head: Head, rows: Sequence[Row], batch: Batch) -> Head:
    """Write the next rows of a run with all that follows from them, or nothing.

    Args:
        head: What the batch was folded behind.

    Returns:
        The head since.

    Raises:
        LedgerError: Another archiver was there first, or it cannot be written.
    """
    entries = chained(head, rows)
    last = rows[-1]
    after = Head(head.run, head.project, last.seq, last.at, str(entries[-1]["hash"]))
    with database.writing() as connection:
        _advance(connection, head, after)
        add(connection, JOURNAL, [tuple(entry.values()) for entry in entries])
        if batch.begins_anew:
            forget(connection, head.run, but=(DocumentRecord, CallRecord))
        if any(isinstance(record, RunRecord) for record in batch.records):
            # with the run's row come those of all its tiers, and one may be gone
            tiers = FOLDED[TierRecord]
            connection.execute(delete(tiers).where(tiers.c.run == head.run))
        put(connection, batch.records)
        if batch.refusals:
            documents = FOLDED[DocumentRecord]
            refuse = update(documents).where(
                documents.c.run == head.run, documents.c.message == bindparam("refused_id")
            )
            said = [{"refused_id": one.message, "why": one.reason} for one in batch.refusals]
            connection.execute(refuse.values(refused=bindparam("why")), said)
    return after


def _advance(connection: Connection, before: Head, after: Head) -> None:
    """Take the run's turn: of two archivers that fold the same entries one is refused here, and both fold them once."""
    to = {"seq": after.seq, "at": after.at, "hash": after.hash}
    if before.seq == 0:
        connection.execute(insert(ARCHIVED), {"run": after.run, "project": after.project, **to})
        return
    is_turn = (ARCHIVED.c.run == before.run) & (ARCHIVED.c.seq == before.seq) & (ARCHIVED.c.hash == before.hash)
    if connection.execute(update(ARCHIVED).where(is_turn).values(**to)).rowcount != 1:
        raise LedgerError(f"another archiver has written run {before.run} to the ledger meanwhile")


def put(connection: Connection, records: Iterable[Record]) -> None:
    """Write rows; each takes the place of the one with its key, the last of a key counts."""
    by_kind: dict[type[Record], dict[object, Values]] = defaultdict(dict)
    for record in records:
        kind = type(record)
        by_kind[kind][_KEY_OF[kind](record)] = _VALUES_OF[kind](record)
    for kind, rows in by_kind.items():
        replace(connection, FOLDED[kind], [*rows.values()])


def forget(connection: Connection, run: str, *, but: Sequence[type[Record]] = ()) -> None:
    """Remove what was folded of a run."""
    for kind, table in FOLDED.items():
        if kind not in but:
            connection.execute(delete(table).where(table.c.run == run))


def remove(connection: Connection, run: str) -> None:
    """Remove a run from the ledger, its journal too."""
    forget(connection, run)
    for table in (JOURNAL, ARCHIVED):
        connection.execute(delete(table).where(table.c.run == run))
