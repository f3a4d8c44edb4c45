"""Ledgers in both databases: `url` is an empty one of each kind in turn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_world import World
from postgres import PostgresServer

from callboard.ledger.database import Database, connect


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server per test process. Do not kill it: start one of your own for that."""
    with tempfile.TemporaryDirectory(prefix="cb-pg-") as folder:
        server = PostgresServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.fresh()


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    found = connect(url)
    yield found
    found.close()


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path / "archive", database)
