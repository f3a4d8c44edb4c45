"""Tables go forward only, from the first released ones on; a newer program's are left alone."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from crafted_journal import CraftedJournal
from ledger_world import RUN, SEED, World, assert_is_the_fold
from sqlalchemy import text

from callboard.bus.errors import LedgerError
from callboard.ledger.database import Database
from callboard.ledger.schema import SCHEMAS, migrate, prepare, schema_of, state_of, upgrade
from callboard.ledger.tables import SCHEMA, metadata

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("released", SCHEMAS)
def test_a_ledger_of_each_released_schema_comes_to_be_as_a_new_one(
    released: str, database: Database, world: World
) -> None:
    with database.writing() as connection:
        migrate(connection, released)
    assert upgrade(database) == (released, SCHEMA)
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    rows = list(CraftedJournal(RUN, SEED).rows(60))
    world.append(rows)
    world.take()
    assert_is_the_fold(database, RUN, "shop", rows)


def test_a_newer_programs_ledger_is_refused_in_a_sentence_and_stays_as_it_is(world: World) -> None:
    prepare(world.database)
    with world.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    world.append(list(CraftedJournal(RUN, SEED).rows(5)))
    for refused in (world.take, lambda: upgrade(world.database), lambda: prepare(world.database)):
        with pytest.raises(LedgerError, match="has schema 0999, which a newer Callboard made; this one knows"):
            refused()
    with world.database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM journal")).scalar() == 0


def test_an_older_ledger_waits_for_a_person() -> None:
    known = ("0001", "0002", "0003")
    said = [state_of(schema, known) for schema in ("", "0001", "0002", "0003", "0004", "nobody's")]
    assert said == ["empty", "older", "older", "current", "newer", "newer"]


def test_making_the_tables_again_changes_nothing(database: Database) -> None:
    prepare(database)
    prepare(database)
    assert schema_of(database) == SCHEMA
    assert upgrade(database) == (SCHEMA, SCHEMA)
