from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from crafted_journal import CraftedJournal
from ledger_world import RUN, SEED, World, assert_is_the_fold, held, told

from callboard.bus.board import RunDoc, TaskDoc
from callboard.bus.task import TaskSpec
from callboard.ledger.database import Database, connect


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = connect(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield found
    found.close()


@pytest.fixture
def world(tmp_path: Path, database: Database) -> World:
    return World(tmp_path / "archive", database)


def test_the_ledger_is_the_sum_of_the_journal_however_it_came_and_whoever_wrote_it(world: World) -> None:
    journal = CraftedJournal(RUN, SEED)
    rows = list(journal.rows(1_500))
    left = iter(rows)
    for size in (1, 1, 7, 300, 2, 1_189):
        world.append(list(islice(left, size)))
        world.take()
        if size in (7, 2):
            world.new()
    assert not world.said
    assert_is_the_fold(world.database, RUN, "shop", rows)
    assert all(held(world.database, RUN).values()), "a table that nothing is written to"


def test_what_is_there_already_is_passed_over(world: World) -> None:
    world.append(list(CraftedJournal(RUN, SEED).rows(50)))
    assert world.take() == 1
    before = held(world.database, RUN)
    assert (world.take(), world.new().step()) == (0, False)
    assert held(world.database, RUN) == before


def test_a_tier_that_nothing_is_in_any_more_is_gone(world: World) -> None:
    run = RunDoc(id=RUN, state="running")
    for seq, tier in enumerate(("setup", "api"), 1):
        spec = TaskSpec(key="driver-1/t", agent="driver-1", title="t", tier=tier)
        world.append([told(seq, {"run": run, "task:T-1": TaskDoc(id="T-1", spec=spec)})])
        world.take()
        assert [row["name"] for row in held(world.database, RUN)["tiers"].values()] == [tier]
