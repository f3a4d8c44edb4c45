from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from crafted_journal import CraftedJournal
from ledger_world import assert_is_the_fold, held

from callboard.bus.archive import FileArchive, Row
from callboard.ledger.archiver import LedgerArchiver
from callboard.ledger.database import Database, connect

RUN = "20261121-091407"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = connect(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield found
    found.close()


class World:
    """Archives in a folder, and who takes them into a ledger."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.database = database
        self.said: list[str] = []
        self.archiver = self.new()

    def new(self) -> LedgerArchiver:
        self.archiver = LedgerArchiver(self.folder, self.database, "shop", self.said.append)
        return self.archiver

    def append(self, rows: list[Row], run: str = RUN) -> None:
        FileArchive(self.folder / run).append(rows)

    def take(self) -> int:
        """How many batches were written."""
        batches = 0
        while self.archiver.step():
            batches += 1
        return batches


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path / "archive", database)


def test_the_ledger_is_the_sum_of_the_journal_however_it_came_and_whoever_wrote_it(world: World, seed: int) -> None:
    journal = CraftedJournal(RUN, seed)
    rows = list(journal.rows(1_500))
    left = iter(rows)
    for size in (1, 1, 7, 300, 2, 1_189):
        world.append(list(islice(left, size)))
        world.take()
        if size in (7, 2):
            world.new()
    assert not world.said
    assert_is_the_fold(world.database, RUN, "shop", rows)


def test_what_is_there_already_is_passed_over(world: World, seed: int) -> None:
    world.append(list(CraftedJournal(RUN, seed).rows(50)))
    assert world.take() == 1
    before = held(world.database, RUN)
    assert (world.take(), world.new().step()) == (0, False)
    assert held(world.database, RUN) == before
