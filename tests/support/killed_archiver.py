"""A ledger's archiver that is killed with -9 at places drawn with a seed, while its archive grows."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import ledger_process
from crafted_journal import CraftedJournal
from ledger_world import RUN, assert_is_the_fold

from callboard.bus.archive import FileArchive, Row, in_batches
from callboard.bus.errors import LedgerError
from callboard.ledger import store
from callboard.ledger.audit import Verified, verify
from callboard.ledger.database import connect

AT_ONCE = 5_000
EARLY = 0.25
"""So many of the kills come as soon as the process is there, whatever it does then; the others wait for their place."""
LONGEST_S = 0.2


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of it."""

    kills: int
    in_work: int
    """Of those, with rows archived that were not in the ledger yet."""
    verified: Verified
    take_s: float
    """From the first start to the last entry, starts and waits included."""


class KilledArchiver:
    """One run of `rows` entries.

    Args:
        folder: An empty one, for the archive.
        url: An empty ledger's.
        trouble: Called just before each kill.
    """

    def __init__(self, folder: Path, url: str, seed: int, rows: int, kills: int, *, tasks: int = 12) -> None:
        self._folder = folder
        self._url = url
        self._seed = seed
        self._count = rows
        self._tasks = tasks
        self._rng = random.Random(seed)
        self._places = sorted(self._rng.sample(range(1, rows), kills))
        self._journal = self._rows()
        self._archive = FileArchive(folder / RUN)
        self._archived = 0
        self._database = connect(url)

    def run(self, trouble: Callable[[], None] = lambda: None) -> Killed:
        began, in_work = time.monotonic(), 0
        for place in self._places:
            self._append(place)
            process = self._start()
            self._append(min(self._count, place + self._rng.randint(1, self._count // len(self._places))))
            if self._rng.random() >= EARLY:
                self._wait_for(place, process)
            time.sleep(self._rng.random() * LONGEST_S)
            trouble()
            process.kill()
            process.wait()
            in_work += self._head() < self._archived
        self._append(self._count)
        process = self._start()
        process.terminate()
        assert process.wait() == 0, self._said()
        taken = time.monotonic() - began
        assert_is_the_fold(self._database, RUN, "shop", self._rows())
        found = verify(self._database, RUN, self._archive)
        assert (found.fault, found.entries) == (None, self._count)
        self._database.close()
        return Killed(len(self._places), in_work, found, taken)

    def _rows(self) -> Iterator[Row]:
        return CraftedJournal(RUN, self._seed, tasks=self._tasks).rows(self._count)

    def _append(self, until: int) -> None:
        new = max(0, until - self._archived)
        for rows in in_batches(islice(self._journal, new), AT_ONCE):
            self._archive.append(rows)
        self._archived += new

    def _start(self) -> subprocess.Popen[bytes]:
        argv = [sys.executable, ledger_process.__file__, self._url, str(self._folder)]
        with self._log.open("wb") as log:
            process = subprocess.Popen(argv, stdout=log, stderr=log)
        while "begins\n" not in self._said():
            assert process.poll() is None, self._said()
            time.sleep(0.01)
        return process

    def _wait_for(self, seq: int, process: subprocess.Popen[bytes]) -> None:
        while self._head() < seq:
            assert process.poll() is None, self._said()
            time.sleep(0.02)

    def _head(self) -> int:
        try:
            with self._database.reading() as connection:
                head = store.head_of(connection, RUN)
        except LedgerError:
            return 0  # its tables are not made yet
        return head.seq if head else 0

    @property
    def _log(self) -> Path:
        return self._folder.with_suffix(".log")

    def _said(self) -> str:
        return self._log.read_text()
