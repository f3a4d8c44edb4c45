"""The ledger's tables. A change here takes a migration (migrations/versions) and a new `SCHEMA`.

| table       | a row is                                            | key |
|-------------|-----------------------------------------------------|-----|
| archived    | how far a run is archived here, with the hash there | run |
| journal     | an entry of a run's journal, byte for byte, chained | run, seq |
| board       | a document of the board as the journal has left it  | run, field |
| runs, tiers, tasks, blockers, issues, reviews, calls, spend, documents, deployments | folded from it (records.py) | run and its own |

`runs.project` apart, everything follows from `journal` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from sqlalchemy import BigInteger, Boolean, Column, MetaData, String, Table, Text
from sqlalchemy.types import TypeEngine

from callboard.ledger.records import (
    BlockerRecord,
    BoardRecord,
    CallRecord,
    DeploymentRecord,
    DocumentRecord,
    IssueRecord,
    Record,
    ReviewRecord,
    RunRecord,
    SpendRecord,
    TaskRecord,
    TierRecord,
)

SCHEMA = "0001"
"""Of these tables; the newest migration's."""

metadata = MetaData()

ARCHIVED = Table(
    "archived",
    metadata,
    Column("run", String, primary_key=True),
    Column("project", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)
JOURNAL = Table(
    "journal",
    metadata,
    Column("run", String, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("entry", Text, nullable=False),
)


def _table(name: str, record: type[Record], *keys: str) -> Table:
    return Table(name, metadata, *(_column(one.name, str(one.type), one.name in keys) for one in fields(record)))


def _column(name: str, kind: str, is_key: bool) -> Column[object]:
    sql: TypeEngine[object] = _TYPES[kind.removesuffix(" | None")]
    return Column(name, sql, primary_key=is_key, nullable=kind.endswith("None"), autoincrement=False)


_TYPES: Mapping[str, TypeEngine[object]] = {"str": Text(), "int": BigInteger(), "bool": Boolean()}  # type: ignore[dict-item]

FOLDED: Mapping[type[Record], Table] = {
    RunRecord: _table("runs", RunRecord, "run"),
    TierRecord: _table("tiers", TierRecord, "run", "name"),
    TaskRecord: _table("tasks", TaskRecord, "run", "id"),
    BlockerRecord: _table("blockers", BlockerRecord, "run", "id"),
    IssueRecord: _table("issues", IssueRecord, "run", "key"),
    ReviewRecord: _table("reviews", ReviewRecord, "run", "id"),
    DeploymentRecord: _table("deployments", DeploymentRecord, "run", "id"),
    CallRecord: _table("calls", CallRecord, "run", "id"),
    SpendRecord: _table("spend", SpendRecord, "run", "scope"),
    DocumentRecord: _table("documents", DocumentRecord, "run", "message"),
    BoardRecord: _table("board", BoardRecord, "run", "field"),
}
"""What a table's rows are -> the table."""
