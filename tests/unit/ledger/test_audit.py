"""A row that is edited, removed or put in between is named; each edit on its own, and put right again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crafted_journal import CraftedJournal
from ledger_world import RUN, SEED, World
from sqlalchemy import text, update

from callboard.bus.archive import FileArchive, Row
from callboard.ledger import store
from callboard.ledger.audit import Fault, verify
from callboard.ledger.database import connect
from callboard.ledger.tables import JOURNAL

ENTRIES = 120


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("ledger")
    database = connect(f"sqlite:///{folder / 'ledger.db'}")
    world = World(folder / "archive", database)
    world.append([*CraftedJournal(RUN, SEED, tasks=4).rows(ENTRIES)])
    world.take()
    yield world
    database.close()


def fault(world: World, *statements: str) -> Fault | None:
    """What is said of a ledger in which this was done; it is undone then."""
    backup = Path(str(world.folder) + ".db")
    with world.database.writing() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql(f"VACUUM INTO '{backup}'")
        connection.exec_driver_sql("BEGIN")
    copy = connect(f"sqlite:///{backup}")
    try:
        with copy.writing() as connection:
            for statement in statements:
                assert connection.execute(text(statement)).rowcount > 0, statement
        return verify(copy, RUN, FileArchive(world.folder / RUN)).fault
    finally:
        copy.close()
        for path in backup.parent.glob(f"{backup.name}*"):
            path.unlink()


def test_a_ledger_that_nobody_touched_is_right(whole: World) -> None:
    found = verify(whole.database, RUN, FileArchive(whole.folder / RUN))
    assert (found.fault, found.entries) == (None, ENTRIES)
    assert found.rows > ENTRIES / 4


@pytest.mark.parametrize(
    ("statement", "table", "row", "why"),
    [
        ("UPDATE journal SET entry = replace(entry, 'manager', 'driver') WHERE seq = 40 OR seq = 41", "journal", "40", "hash"),
        ("UPDATE journal SET at = at + 1 WHERE seq = 77", "journal", "77", "hash"),
        ("UPDATE journal SET hash = replace(hash, substr(hash, 1, 1), 'x') WHERE seq = 9", "journal", "9", "hash"),
        ("DELETE FROM journal WHERE seq = 50", "journal", "50", "missing"),
        ("DELETE FROM journal WHERE seq > 100", "archived", RUN, "its end was removed"),
        ("UPDATE archived SET seq = 119", "archived", RUN, "entry 119"),
        ("UPDATE tasks SET state = 'done', landed = 'abc' WHERE id = 'T-1'", "tasks", "T-1", "landed: not what the journal says"),
        ("DELETE FROM spend WHERE scope = 'run'", "spend", "run", "missing"),
        ("UPDATE calls SET micro_usd = micro_usd + 1", "calls", "", "micro_usd"),
        ("UPDATE documents SET content = 'approved'", "documents", "", "content"),
        ("UPDATE runs SET tokens_cap = 1", "runs", RUN, "tokens_cap"),
        ("INSERT INTO board (run, field, doc) SELECT run, 'task:T-99', doc FROM board LIMIT 1", "board", "task:T-99", "nothing in the journal"),
    ],
)  # fmt: skip
def test_the_first_bad_row_is_named(whole: World, statement: str, table: str, row: str, why: str) -> None:
    found = fault(whole, statement)
    assert found is not None
    assert found.table == table
    assert not row or found.row == row
    assert why in found.why


def test_who_makes_all_hashes_anew_is_told_by_the_archive(whole: World) -> None:
    """The chain alone would be right: nothing in the ledger says that it was another one."""
    with whole.database.reading() as connection:
        entries = connection.execute(JOURNAL.select().order_by(JOURNAL.c.seq)).all()
        head = store.Head(RUN, "shop")
    forged = [Row(one.seq, one.at, entries[28].entry if one.seq == 30 else one.entry) for one in entries]
    rows = store.chained(head, forged)
    assert rows[29]["entry"] != entries[29].entry
    before = [{"seq": one.seq, "entry": one.entry, "hash": one.hash} for one in entries]
    try:
        write(whole, [{key: row[key] for key in ("seq", "entry", "hash")} for row in rows])
        found = verify(whole.database, RUN, FileArchive(whole.folder / RUN)).fault
        alone = verify(whole.database, RUN, FileArchive(whole.folder / "nothing is archived here")).fault
    finally:
        write(whole, before)
    assert found is not None
    assert (found.table, found.row) == ("journal", "30")
    assert "another one in the archive" in found.why
    assert alone is None or alone.table != "journal"


def write(world: World, rows: list[dict[str, object]]) -> None:
    with world.database.writing() as connection:
        for row in rows:
            connection.execute(
                update(JOURNAL).where(JOURNAL.c.seq == row["seq"]).values(entry=row["entry"], hash=row["hash"])
            )
        head = {"hash": rows[-1]["hash"]}
        connection.execute(text("UPDATE archived SET hash = :hash"), head)
