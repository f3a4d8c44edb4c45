"""Killed at any instant, the archiver and its database: the ledger is the sum of the journal all the same."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import ledger_process
import pytest
from crafted_journal import CraftedJournal
from ledger_world import RUN, World, assert_is_the_fold
from postgres import PostgresServer

from callboard.bus.archive import FileArchive
from callboard.ledger.audit import verify
from callboard.ledger.database import connect

ROUNDS = 6
EACH = 800


class Killed:
    """An archiver's process that is killed and begun again while the archive grows."""

    def __init__(self, world: World, url: str, seed: int) -> None:
        self.world = world
        self.url = url
        self.rng = random.Random(seed)
        self.rows = [*CraftedJournal(RUN, seed).rows(ROUNDS * EACH)]

    def start(self) -> subprocess.Popen[str]:
        argv = [sys.executable, ledger_process.__file__, self.url, str(self.world.folder)]
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "begins\n"
        return process

    def run(self, trouble: Callable[[], None]) -> None:
        for at in range(0, len(self.rows), EACH):
            self.world.append(self.rows[at : at + EACH])
            process = self.start()
            # some die while they read what is there, some between two batches, some idle: whichever, it must not matter
            time.sleep(self.rng.random() * 0.5)
            trouble()
            process.kill()
            process.communicate()
        process = self.start()
        process.terminate()
        said, _ = process.communicate()
        assert process.returncode == 0, said
        assert_is_the_fold(self.world.database, RUN, "shop", self.rows)
        assert verify(self.world.database, RUN, FileArchive(self.world.folder / RUN)).fault is None


@pytest.mark.long
def test_an_archiver_that_is_killed_again_and_again_takes_each_entry_once(tmp_path: Path, seed: int) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    Killed(World(tmp_path / "archive", connect(url)), url, seed).run(lambda: None)


@pytest.mark.long
def test_the_same_on_a_postgres_that_is_killed_too(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="cb-pg-") as folder:
        server = PostgresServer(Path(folder))
        url = server.fresh()

        def switched_off() -> None:
            if rng.random() < 0.5:
                server.kill()
                server.start()

        try:
            Killed(World(tmp_path / "archive", connect(url)), url, seed).run(switched_off)
        finally:
            server.stop()
