"""A ledger that is locked, gone, or not what it was: it is said, nothing is written twice, and it catches up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from crafted_journal import CraftedJournal
from ledger_world import RUN, SEED, World, assert_is_the_fold, held

from callboard.bus.archive import FileArchive
from callboard.bus.errors import LedgerBroken, LedgerError
from callboard.bus.run_state import RunState
from callboard.ledger import store
from callboard.ledger.archiver import LedgerArchiver
from callboard.ledger.database import connect
from callboard.ledger.rebuilding import rebuild

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def sqlite(tmp_path: Path) -> World:
    return World(tmp_path / "archive", connect(f"sqlite:///{tmp_path / 'ledger.db'}", busy_s=0))


def test_a_locked_ledger_is_an_error_and_goes_on_when_it_is_free(sqlite: World, tmp_path: Path) -> None:
    rows = list(CraftedJournal(RUN, SEED).rows(90))
    sqlite.append(rows[:40])
    sqlite.take()
    holder = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    sqlite.append(rows[40:])
    with pytest.raises(LedgerError, match="database is locked; another program holds it"):
        sqlite.take()
    holder.execute("ROLLBACK")
    holder.close()
    sqlite.take()
    assert_is_the_fold(sqlite.database, RUN, "shop", rows)


def test_a_disk_without_room_is_an_error_and_goes_on_when_there_is_some(sqlite: World) -> None:
    rows = list(CraftedJournal(RUN, SEED).rows(300))
    sqlite.append(rows[:40])
    sqlite.take()

    def most_pages(count: int) -> None:
        with sqlite.database.reading() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {count}")

    most_pages(1)  # not below what it has
    sqlite.append(rows[40:])
    with pytest.raises(LedgerError, match="database or disk is full; make room"):
        sqlite.take()
    most_pages(1_000_000)
    sqlite.take()
    assert_is_the_fold(sqlite.database, RUN, "shop", rows)


def test_who_reads_holds_up_no_archiver_and_sees_one_moment(sqlite: World) -> None:
    rows = list(CraftedJournal(RUN, SEED).rows(40))
    sqlite.append(rows[:25])
    sqlite.take()
    with sqlite.database.reading() as connection:
        assert store.heads(connection)[RUN].seq == 25
        sqlite.append(rows[25:])
        sqlite.take()
        assert store.heads(connection)[RUN].seq == 25
    assert_is_the_fold(sqlite.database, RUN, "shop", rows)


def test_of_two_archivers_one_writes_and_the_other_goes_on_behind_it(sqlite: World) -> None:
    rows = list(CraftedJournal(RUN, SEED).rows(80))
    sqlite.append(rows[:30])
    sqlite.take()
    other = LedgerArchiver(sqlite.folder, sqlite.database, "shop", sqlite.said.append)
    assert not other.step()
    sqlite.append(rows[30:])
    sqlite.take()
    with pytest.raises(LedgerError, match="another archiver has written run"):
        other.step()
    assert not other.step()
    assert_is_the_fold(sqlite.database, RUN, "shop", rows)


def test_another_run_of_the_same_name_is_not_mixed_in_and_the_others_go_on(sqlite: World, tmp_path: Path) -> None:
    rows = list(CraftedJournal(RUN, SEED).rows(20))
    sqlite.append(rows)
    sqlite.take()
    theirs = World(tmp_path / "theirs", sqlite.database)
    theirs.append(list(CraftedJournal(RUN, SEED + 1).rows(50)))
    theirs.append(list(CraftedJournal("other", SEED).rows(10)), "other")
    assert theirs.take() == 1
    [said] = theirs.said
    assert f"run {RUN} is not taken into the ledger: its entry 20 is another one in the archive" in said
    # looked at again since there is more of it: nothing new is to be said
    theirs.append([*CraftedJournal(RUN, SEED + 1).rows(60)][50:])
    assert theirs.take() == 0
    assert theirs.said == [said]
    assert_is_the_fold(sqlite.database, RUN, "shop", rows)


def test_a_shortened_archive_is_said_and_a_rebuild_would_lose_what_only_the_ledger_has(sqlite: World) -> None:
    rows = list(CraftedJournal(RUN, SEED).rows(30))
    sqlite.append(rows)
    sqlite.take()
    before = held(sqlite.database, RUN)
    path = FileArchive(sqlite.folder / RUN).path
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:25]))
    sqlite.new()
    sqlite.take()
    assert "the ledger has its entries up to 30, and the archive" in sqlite.said[0]
    with pytest.raises(LedgerBroken, match="has entries 1 to 25, and the ledger has them up to 30"):
        rebuild(sqlite.database, sqlite.folder, [RUN], "shop", print)
    assert held(sqlite.database, RUN) == before


def test_an_archive_that_was_lost_and_began_anew_is_gone_on_with(sqlite: World) -> None:
    journal, state = CraftedJournal(RUN, SEED), RunState()
    rows = list(journal.rows(40))
    sqlite.append(rows)
    sqlite.take()
    for row in rows:
        state.apply(row)
    FileArchive(sqlite.folder / RUN).path.unlink()
    anew = [journal.snapshot(state, missing=0), *journal.rows(20)]
    sqlite.append(anew)
    sqlite.new()
    sqlite.take()
    assert not sqlite.said
    assert_is_the_fold(sqlite.database, RUN, "shop", [*rows, *anew[1:]])


def test_a_rebuilt_ledger_is_the_one_it_was(sqlite: World) -> None:
    rows = list(CraftedJournal(RUN, SEED).rows(60))
    sqlite.append(rows)
    sqlite.append(list(CraftedJournal("other", SEED).rows(10)), "other")
    sqlite.take()
    other = held(sqlite.database, "other")
    with sqlite.database.writing() as connection:
        connection.exec_driver_sql("UPDATE tasks SET title = 'forged'")
        connection.exec_driver_sql("DELETE FROM journal WHERE seq > 5 AND run = ?", (RUN,))
    [rebuilt] = rebuild(sqlite.database, sqlite.folder, [RUN], "shop", print)
    assert (rebuilt.run, rebuilt.entries) == (RUN, 60)
    assert_is_the_fold(sqlite.database, RUN, "shop", rows)
    assert held(sqlite.database, "other")["journal"] == other["journal"]


def test_a_file_that_is_no_ledger_is_said_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"no database at all, but long enough to look like one" * 20)
    world = World(tmp_path / "archive", connect(f"sqlite:///{tmp_path / 'ledger.db'}"))
    world.append(list(CraftedJournal(RUN, SEED).rows(3)))
    with pytest.raises(LedgerError, match="file is not a database; remove the file, then `callboard rebuild --ledger`"):
        world.take()
