"""Which schema a ledger has, and bringing it to ours: forward only.

A ledger that is empty is made as tables.py says; an older one goes through the migrations, each in its own transaction. A
newer one is refused: its rows would be misread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Connection, text

from callboard.bus.errors import LedgerError
from callboard.ledger.database import NAMESPACE, Database, has_table, lock
from callboard.ledger.tables import SCHEMA, metadata

SCHEMAS = ("0001",)
"""Every one that was released, oldest first: the migrations' names (migrations/versions)."""
assert SCHEMAS[-1] == SCHEMA
VERSION_TABLE = "alembic_version"
State = Literal["empty", "older", "current", "newer"]


def schema_of(database: Database) -> str:
    """The schema that a ledger has; "" = it is empty.

    Raises:
        LedgerError: It cannot be reached.
    """
    with database.reading() as connection:
        return _read(connection)


def state_of(schema: str, known: Sequence[str] = SCHEMAS) -> State:
    if not schema:
        return "empty"
    if schema not in known:
        return "newer"
    return "current" if schema == known[-1] else "older"


def prepare(database: Database) -> None:
    """Make an empty ledger's tables; one of ours stays as it is.

    Raises:
        LedgerError: It is an older or a newer program's, or cannot be reached.
    """
    schema = schema_of(database)
    match state_of(schema):
        case "empty":
            _create(database)
        case "older":
            raise LedgerError(
                f"the ledger {database.shown} has schema {schema}, and this program's is {SCHEMA}: "
                "`callboard ledger upgrade` brings it forward; older programs then refuse it"
            )
        case "newer":
            raise newer(database, schema)


def newer(database: Database, schema: str) -> LedgerError:
    return LedgerError(
        f"the ledger {database.shown} has schema {schema}, which a newer Callboard made; this one knows {SCHEMA}: "
        "install the newer one, or name another ledger as [ledger] url"
    )


def upgrade(database: Database) -> tuple[str, str]:
    """Bring a ledger to our schema.

    Returns:
        The schema before ("" = it was empty), and now.

    Raises:
        LedgerError: A newer program made it, or it cannot be written.
    """
    before = schema_of(database)
    match state_of(before):
        case "empty":
            _create(database)
        case "older":
            _migrate(database)
        case "newer":
            raise newer(database, before)
    return before, SCHEMA


def _read(connection: Connection) -> str:
    if not has_table(connection, VERSION_TABLE):
        return ""
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return str(found or "")


def _create(database: Database) -> None:
    with database.writing() as connection:
        lock(connection, "schema")
        _namespace(connection)
        if _read(connection):
            return  # somebody else was first
        metadata.create_all(connection, checkfirst=False)
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(text(f"INSERT INTO {VERSION_TABLE} VALUES (:schema)"), {"schema": SCHEMA})


def _namespace(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {NAMESPACE}"))


def _migrate(database: Database) -> None:
    with database.writing() as connection:
        lock(connection, "schema")
        migrate(connection, SCHEMA)


def migrate(connection: Connection, to: str) -> None:
    """Run the migrations up to a schema, from wherever the ledger is."""
    # here: it takes longer to import than everything else together, and is hardly ever needed
    from alembic.command import upgrade as run
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "callboard.ledger:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    _namespace(connection)
    run(config, to)
