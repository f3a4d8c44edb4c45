"""Killed at any instant, the archiver and its database: the ledger is the sum of the journal all the same.

`make kill-ledger` does the same with a million rows.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from killed_archiver import KilledArchiver
from postgres import PostgresServer

ROWS = 12_000
KILLS = 8


@pytest.mark.long
def test_an_archiver_that_is_killed_again_and_again_takes_each_entry_once(tmp_path: Path, seed: int) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    found = KilledArchiver(tmp_path / "archive", url, seed, ROWS, KILLS).run()
    print(f"seed {seed}: {found.kills} kills, {found.in_work} of them in work")


@pytest.mark.long
def test_the_same_on_a_postgres_that_is_killed_too(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="cb-pg-") as folder:
        server = PostgresServer(Path(folder))

        def switched_off() -> None:
            if rng.random() < 0.5:
                server.kill()
                server.start()

        try:
            archiver = KilledArchiver(tmp_path / "archive", server.fresh(), seed, ROWS, KILLS)
            found = archiver.run(switched_off)
        finally:
            server.stop()
    print(f"seed {seed}: {found.kills} kills, {found.in_work} of them in work")
