"""Many rows in one call of the driver's own.

SQLAlchemy looks at each value of each row on its way, which takes as long as what the database does with it; rows here have
their columns' types already.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, Table

Values = tuple[object, ...]
"""One row: a value for each column, in their order."""


def add(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows that are not there yet.

    Raises:
        SQLAlchemyError, or the driver's own error: It cannot be done, one is there.
    """
    if connection.dialect.name == "postgresql":
        _copy(connection, table, rows)
    else:
        connection.exec_driver_sql(_insert(table, "?"), list(rows))


def replace(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """Insert rows; each takes the place of the one with its key."""
    connection.exec_driver_sql(_upsert(table, _mark(connection)), list(rows))


def _copy(connection: Connection, table: Table, rows: Sequence[Values]) -> None:
    """A third of the work of INSERT, on both sides."""
    driver = connection.connection.driver_connection
    assert driver is not None
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table.name} ({_listed(_names(table))}) FROM STDIN") as to,
    ):
        for row in rows:
            to.write_row(row)


def _mark(connection: Connection) -> str:
    return "%s" if connection.dialect.name == "postgresql" else "?"


@cache
def _insert(table: Table, mark: str) -> str:
    names = _names(table)
    return f"INSERT INTO {table.name} ({_listed(names)}) VALUES ({', '.join(mark for _ in names)})"


@cache
def _upsert(table: Table, mark: str) -> str:
    keys = [column.name for column in table.primary_key]
    rest = ", ".join(f'"{name}" = excluded."{name}"' for name in _names(table) if name not in keys)
    return f"{_insert(table, mark)} ON CONFLICT ({_listed(keys)}) DO UPDATE SET {rest}"


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
