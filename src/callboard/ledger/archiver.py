"""The ledger's archiver: follows the archives of a workspace's runs (bus/archive.py), and writes what is new into the ledger.

The archives are where a run's numbers are decided: an entry that a server lost before it was archived never was, and what
comes after a loss is archived behind it. So the ledger is never ahead of them. What the ledger has decides where it goes on,
so it can be killed at any instant; a batch of entries and all that follows from them are one transaction.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Event

from callboard.bus.archive import FILE, FileArchive, Row
from callboard.bus.errors import BusError, LedgerBroken, LedgerError
from callboard.ledger import store
from callboard.ledger.database import Database
from callboard.ledger.fold import Standing, fold
from callboard.ledger.schema import prepare
from callboard.ledger.store import Head

BATCH = 2_000
"""Entries in one transaction: some megabytes, and a tenth of a second in which SQLite takes no other writer. Half as many take a
fifth longer each, for the rows of the run, its tiers and its issues are made anew once in each."""
LOOK_EVERY_S = 0.5
STANDINGS = 4
"""Boards held in memory: of the runs that go on; one that is needed again is read from the ledger."""


@dataclass(slots=True)
class _Seen:
    """A run's archive, as far as it is known."""

    archive: FileArchive
    signature: tuple[int, int] = (-1, -1)
    """Time of change and size when all of it was in the ledger, or could not be taken."""
    is_same: bool = False
    """It has what the ledger has, where that ends."""


class LedgerArchiver:
    """One at a time for each workspace; of two, one writes and the other is told so (`store.keep`).

    Args:
        folder: Where the archives are, one folder for each run.
        project: Whose runs they are.
        say: Told, as a sentence and once, why a run cannot be taken; the others are.
        only: These runs alone; None = all that are archived.
    """

    def __init__(
        self,
        folder: Path,
        database: Database,
        project: str,
        say: Callable[[str], None],
        *,
        only: Container[str] | None = None,
    ) -> None:
        self._folder = folder
        self._database = database
        self._project = project
        self._say = say
        self._only = only
        self._seen: dict[str, _Seen] = {}
        self._heads: dict[str, Head] | None = None
        self._standings = OrderedDict[str, Standing]()
        self._said = set[str]()

    def run(self, stop: Event, *, on_look: Callable[[], None] = lambda: None, every_s: float = LOOK_EVERY_S) -> None:
        """Archive until `stop` is set and everything that was in the archives by then is in the ledger.

        Args:
            on_look: Told each time that the ledger could be written, or had nothing to be written.

        Raises:
            LedgerError: The ledger cannot be written now. Called again it goes on.
        """
        while True:
            is_last = stop.is_set()
            has_written = self.step()
            on_look()
            if has_written:
                continue
            if is_last:
                return
            stop.wait(every_s)

    def step(self) -> bool:
        """Write one batch of one run; False when there is nothing to write.

        Raises:
            LedgerError: The ledger cannot be written now.
        """
        try:
            if self._heads is None:
                prepare(self._database)
                with self._database.reading() as connection:
                    self._heads = store.heads(connection)
            return any(self._try(run, seen, self._heads) for run, seen in self._changed())
        except LedgerError:
            self._heads = None
            self._standings.clear()
            for seen in self._seen.values():
                seen.is_same = False
            raise

    def _changed(self) -> Iterator[tuple[str, _Seen]]:
        """Runs whose archive has changed since it was all taken; the newest first, for people look at it."""
        found = sorted(((_signature(path), path.parent) for path in self._folder.glob(f"*/{FILE}")), reverse=True)
        for signature, folder in found:
            if self._only is not None and folder.name not in self._only:
                continue
            seen = self._seen.setdefault(folder.name, _Seen(FileArchive(folder)))
            if seen.signature != signature:
                yield folder.name, seen

    def _try(self, run: str, seen: _Seen, heads: dict[str, Head]) -> bool:
        """Whether a batch was written."""
        signature = _signature(seen.archive.path)
        try:
            rows = self._next(run, seen, heads)
            if rows:
                self._keep(run, rows, heads)
                return True
        except (LedgerBroken, BusError, OSError) as error:
            self._say_once(f"run {run} is not taken into the ledger: {error}")
        seen.signature = signature
        return False

    def _next(self, run: str, seen: _Seen, heads: dict[str, Head]) -> list[Row]:
        head = heads.get(run) or Head(run, self._project)
        if head.seq and not seen.is_same:
            self._check_is_the_same(head, seen.archive)
        seen.is_same = True
        rows = list(islice(seen.archive.rows(head.seq), BATCH))
        if rows and rows[0].seq != head.seq + 1 and not rows[0].is_snapshot:
            raise LedgerBroken(
                f"the ledger ends with entry {head.seq}, and the archive goes on with entry {rows[0].seq}"
            )
        return rows

    def _check_is_the_same(self, head: Head, archive: FileArchive) -> None:
        """Where the ledger ends, the archive must have the same; or it was lost, and began anew with all that there was.

        Raises:
            LedgerBroken
        """
        there = next(archive.rows(head.seq - 1), None)
        if there is None:
            last = archive.last()
            raise LedgerBroken(
                f"the ledger has its entries up to {head.seq}, and the archive {archive.path} ends with "
                f"{last.seq if last else 0}: was it cut, or is it another run of this name?"
            )
        if there.is_snapshot and there == next(archive.rows()):
            return
        with self._database.reading() as connection:
            entry = store.entry_of(connection, head.run, head.seq)
        if (there.seq, there.at, there.entry) != (head.seq, head.at, entry):
            raise LedgerBroken(
                f"its entry {head.seq} is another one in the archive {archive.path} than in the ledger: one was changed "
                f"(`callboard audit verify {head.run}` says which), or the ledger has another project's run of this name"
            )

    def _keep(self, run: str, rows: list[Row], heads: dict[str, Head]) -> None:
        head = heads.get(run) or Head(run, self._project)
        before = self._standings.pop(run, None)
        if before is None:
            with self._database.reading() as connection:
                before = store.standing(connection, head)
        batch = fold(before, rows)
        heads[run] = store.keep(self._database, head, rows, batch)
        self._standings[run] = batch.standing
        if len(self._standings) > STANDINGS:
            self._standings.popitem(last=False)

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._said.add(text)
            self._say(text)


def _signature(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
