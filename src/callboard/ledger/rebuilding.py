"""A ledger made anew from the archives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from callboard.bus.archive import FILE, FileArchive
from callboard.bus.errors import LedgerBroken
from callboard.ledger import store
from callboard.ledger.archiver import LedgerArchiver
from callboard.ledger.database import Database
from callboard.ledger.schema import prepare


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """One run."""

    run: str
    entries: int


def archived_runs(folder: Path) -> list[str]:
    return sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))


def rebuild(
    database: Database, folder: Path, runs: Sequence[str], project: str, say: Callable[[str], None]
) -> tuple[Rebuilt, ...]:
    """Remove these runs from the ledger and take them from their archives again; others stay as they are.

    Killed in between, the next archiver goes on.

    Args:
        folder: Where the archives are.

    Raises:
        LedgerBroken: The ledger has of a run what its archive has not; nothing was removed.
        ArchiveBroken: An archive is not what was archived; nothing was removed.
        LedgerError: The ledger cannot be written.
    """
    prepare(database)
    for run in runs:
        _check_nothing_is_lost(database, folder, run)
    for run in runs:
        with database.writing() as connection:
            store.remove(connection, run)
    stop = Event()
    stop.set()
    LedgerArchiver(folder, database, project, say, only=frozenset(runs)).run(stop)
    with database.reading() as connection:
        heads = store.heads(connection)
    return tuple(Rebuilt(run, heads[run].seq) for run in runs if run in heads)


def _check_nothing_is_lost(database: Database, folder: Path, run: str) -> None:
    first = last = 0
    for row in FileArchive(folder / run).rows():
        first, last = first or row.seq, row.seq
    with database.reading() as connection:
        head = store.head_of(connection, run)
    if head is None or (first == 1 and last >= head.seq):
        return
    raise LedgerBroken(
        f"the archive of run {run} has entries {first} to {last}, and the ledger has them up to {head.seq}: what is in the ledger "
        "alone would be lost; put the archive back as it was, or keep a copy of the ledger and remove that"
    )
