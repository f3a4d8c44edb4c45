"""What holds on SQLite holds on Postgres."""

from __future__ import annotations

import pytest
from crafted_journal import CraftedJournal
from ledger_world import RUN, SEED, World, assert_is_the_fold, folded, held
from sqlalchemy import text

from callboard.bus.archive import FileArchive, Row
from callboard.bus.errors import LedgerError
from callboard.bus.run_state import RunState
from callboard.ledger import store
from callboard.ledger.audit import verify
from callboard.ledger.tables import JOURNAL
from callboard.ledger.writing import add

pytestmark = pytest.mark.timeout(600)


def test_two_runs_live_in_one_ledger_and_each_is_the_sum_of_its_journal(world: World) -> None:
    journals = {run: CraftedJournal(run, SEED + n) for n, run in enumerate((RUN, "20261121-101112"))}
    rows = {run: list(journal.rows(400)) for run, journal in journals.items()}
    for start, end in ((0, 90), (90, 400)):
        for run, found in rows.items():
            world.append(found[start:end], run)
        world.take()
    assert not world.said
    for run, found in rows.items():
        assert_is_the_fold(world.database, run, "shop", found)
        said = verify(world.database, run, FileArchive(world.folder / run))
        assert (said.fault, said.entries) == (None, 400)


def test_what_goes_on_with_a_snapshot_is_the_snapshot_and_what_came_after_it(world: World) -> None:
    """Entries were lost before they were archived; what the ledger had of the board and of spend before is void, also
    what the snapshot has not got."""
    journal, state = CraftedJournal(RUN, SEED), RunState()
    rows = list(journal.rows(200))
    for row in rows:
        state.apply(row)
    gap = without_one_of_each(journal.snapshot(state, missing=50), state)
    for one in (rows, [gap]):
        world.append(one)
        world.take()
    found = held(world.database, RUN)
    for name, due in folded(RUN, "shop", state).items():
        assert found[name] == due, name
    after = list(journal.rows(100))
    world.append(after)
    world.take()
    one_by_one = held(world.database, RUN)
    with world.database.writing() as connection:
        for table in (*one_by_one,):
            connection.execute(text(f"DELETE FROM {table}"))
    world.new()
    assert world.take() == 1
    assert held(world.database, RUN) == one_by_one
    assert verify(world.database, RUN, FileArchive(world.folder / RUN)).fault is None
    for row in after:
        state.apply(row)
    assert {row["field"]: row["doc"] for row in one_by_one["board"].values()} == state.board
    assert {row["id"] for row in one_by_one["calls"].values() if row["state"] == "open"} == set(state.reserved)


def without_one_of_each(gap: Row, state: RunState) -> Row:
    """The snapshot of a server that never had one task, one issue and so on, nor what one scope has spent."""
    for kind in ("task:", "issue:", "blocker:", "review:"):
        del state.board[next(field for field in state.board if field.startswith(kind))]
    for name in [name for name in state.spend if name.startswith("driver-1 ")] or [*state.spend][:1]:
        del state.spend[name]
    return Row(gap.seq, gap.at, state.snapshot())


def test_what_a_database_refuses_is_one_sentence_whoever_was_asked(world: World) -> None:
    """Journal rows go past SQLAlchemy, so their errors are the driver's own."""
    rows = list(CraftedJournal(RUN, SEED).rows(3))
    world.append(rows)
    world.take()
    with (
        pytest.raises(LedgerError, match=r"the ledger \S+ cannot be written: .*[Uu][Nn][Ii][Qq][Uu][Ee]"),
        world.database.writing() as connection,
    ):
        add(connection, JOURNAL, [tuple(row.values()) for row in store.chained(store.Head(RUN, "shop"), rows)])
    assert_is_the_fold(world.database, RUN, "shop", rows)
