"""The connection to a ledger's database: SQLite in a file, or Postgres; what both are asked alike."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from callboard.bus.errors import LedgerError
from callboard.ledger.settings import is_postgres

NAMESPACE = "callboard"
"""The Postgres schema that holds the tables, so that they are in nobody's way in a database that has others."""
BUSY_S = 5
"""How long a writer waits for another one; then it says so, and is tried again."""
CONNECT_S = 5


@dataclass(frozen=True, slots=True)
class Database:
    """One ledger's; `engine` connects when it is first used."""

    engine: Engine
    shown: str
    """Where it is, without its password."""

    @property
    def is_postgres(self) -> bool:
        return self.engine.dialect.name == "postgresql"

    @property
    def is_there(self) -> bool:
        """False for a file that nobody made yet."""
        return self.is_postgres or Path(self.engine.url.database or "").exists()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one moment.

        Raises:
            LedgerError: It cannot be reached or read.
        """
        level = {"isolation_level": "REPEATABLE READ"} if self.is_postgres else {}
        with self._speaking("read"), self.engine.connect() as connection:
            yield connection.execution_options(reads=True, **level)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is kept, or nothing.

        Raises:
            LedgerError: It cannot be written.
        """
        with self._speaking("written"), self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _speaking(self, done: str) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, self._driver_error) as error:
            raise LedgerError(f"the ledger {self.shown} cannot be {done}: {why(error)}") from error

    @property
    def _driver_error(self) -> type[Exception]:
        """What the driver raises by itself, where it was asked past SQLAlchemy (writing.py)."""
        return self.engine.dialect.loaded_dbapi.Error


def why(error: Exception) -> str:
    """What the database said, on one line."""
    said = str(getattr(error, "orig", None) or error).strip().splitlines()
    text = said[0][:300] if said else type(error).__name__
    hints = {
        "locked": "another program holds it",
        "disk is full": "make room",
        "not a database": "remove the file, then `callboard rebuild --ledger` writes it anew from the archives",
        "malformed": "remove the file, then `callboard rebuild --ledger` writes it anew from the archives",
    }
    return "; ".join([text, *(hint for word, hint in hints.items() if word in text)])


def connect(url: str, *, busy_s: float = BUSY_S) -> Database:
    """A ledger by its URL. Nothing is reached yet.

    Args:
        url: `postgresql://...` or `sqlite:///<absolute path>`.
        busy_s: How long a writer waits for another one, where one at a time may write.

    Raises:
        LedgerError: It is no such URL, or the driver for it is not installed.
    """
    try:
        made = make_url(url)
        engine = _postgres(made) if is_postgres(url) else _sqlite(made, busy_s)
    except ArgumentError as error:
        raise LedgerError(f"the ledger's URL cannot be read: {error}") from error
    except ImportError as error:
        raise LedgerError(
            "the ledger is a Postgres database, and psycopg is not installed: `pip install 'callboard[postgres]'`"
        ) from error
    return Database(engine, made.render_as_string(hide_password=True))


def _postgres(url: URL) -> Engine:
    timeout = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_S}
    engine = create_engine(url.set(drivername="postgresql+psycopg"), connect_args=timeout, pool_pre_ping=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET search_path TO {NAMESPACE}")
        cursor.close()
        connection.commit()

    return engine


def _sqlite(url: URL, busy_s: float) -> Engine:
    if url.database is None or not Path(url.database).is_absolute():
        raise LedgerError("the ledger's URL names no file by its whole path: sqlite:////var/lib/callboard/ledger.db")
    path = Path(url.database)
    engine = create_engine(url, connect_args={"timeout": busy_s, "check_same_thread": False})

    @event.listens_for(engine, "do_connect")
    def make(*_: object) -> None:
        _private(path)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        # the driver's own transactions begin too late: with the first change, when another one may have read the same
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        # what the machine's crash takes from the end is written again from the archive
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")

    return engine


def _private(path: Path) -> None:
    """Make the file, so that nobody but its owner can read it; the files beside it get the same rights."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise LedgerError(f"the ledger {path} cannot be written: {error.strerror}") from error


def has_table(connection: Connection, name: str) -> bool:
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = :name"
    if connection.dialect.name == "postgresql":
        sql = f"SELECT tablename FROM pg_tables WHERE schemaname = '{NAMESPACE}' AND tablename = :name"
    return connection.execute(text(sql), {"name": name}).first() is not None


def lock(connection: Connection, name: str) -> None:
    """Wait for whoever else changes the same in this ledger; held to the transaction's end. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"callboard {name}"})
