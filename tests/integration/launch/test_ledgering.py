"""The ledger beside a launch: kept up, in trouble, off; and what commands say of it."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from crafted_journal import CraftedJournal
from forked import callboard
from ledger_world import RUN, SEED, assert_is_the_fold
from postgres import PostgresServer
from roster import Workspace as Roster
from roster import until
from waiting import Go

from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace
from callboard.bus.archive import Row
from callboard.launch.ledgering import keep_ledger, ledger_url, open_ledger, project_name
from callboard.ledger import store
from callboard.ledger.database import connect

pytestmark = pytest.mark.timeout(600)
HOLDER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
ENVIRON: Mapping[str, str] = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Roster(tmp_path / "my shop")
    made.init({})
    return Workspace.open(made.path, ENVIRON)


@pytest.fixture
def rows(workspace: Workspace) -> list[Row]:
    found = list(CraftedJournal(RUN, SEED).rows(60))
    workspace.archive(RUN).append(found)
    return found


async def kept(workspace: Workspace, until: Callable[[asyncio.Queue[str]], Awaitable[None]] | None = None) -> list[str]:
    """What was said from the beginning to the end of a launch."""
    stop, said, heard = asyncio.Event(), list[str](), asyncio.Queue[str]()

    def say(text: str) -> None:
        said.append(text)
        heard.put_nowait(text)

    keeper = asyncio.create_task(keep_ledger(workspace, stop, say, after_s=0, last_s=300))
    if until is not None:
        await until(heard)
    stop.set()
    await keeper
    return said


def test_at_its_end_a_launch_has_everything_in_the_ledger(workspace: Workspace, rows: list[Row], go: Go) -> None:
    assert go(kept(workspace)) == []
    assert_is_the_fold(open_ledger(workspace), RUN, "my-shop", rows)
    assert workspace.layout.home.joinpath("ledger.db").stat().st_mode & 0o777 == 0o600


def test_a_ledger_that_is_off_is_no_file(workspace: Workspace, rows: list[Row], go: Go) -> None:
    off = Workspace.open(workspace.root, {**ENVIRON, "CALLBOARD_LEDGER_URL": "off"})
    assert (ledger_url(off), go(kept(off))) == ("", [])
    assert not workspace.layout.home.joinpath("ledger.db").exists()


def test_trouble_is_said_once_and_so_is_its_end(workspace: Workspace, rows: list[Row], go: Go) -> None:
    open_ledger(workspace).close()
    path = workspace.layout.home / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0999'")
    connection.close()

    async def mended(heard: asyncio.Queue[str]) -> None:
        first = await heard.get()
        assert "which a newer Callboard made" in first
        assert first.endswith("the run goes on, and the ledger catches up later")
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.close()
        assert await heard.get() == "the ledger is written again"

    assert len(go(kept(workspace, mended))) == 2
    assert_is_the_fold(open_ledger(workspace), RUN, project_name(workspace), rows)


def test_a_database_that_is_not_there_holds_no_launch_up(workspace: Workspace, rows: list[Row], go: Go) -> None:
    url = "postgresql://nobody:hunter2hunter2@127.0.0.1:1/none"
    down = Workspace.open(workspace.root, {**ENVIRON, "CALLBOARD_LEDGER_URL": url})
    [said] = go(kept(down))
    assert "the ledger postgresql://nobody:***@127.0.0.1:1/none cannot be read" in said
    assert "hunter2" not in down.redactor.text(f"{url} hunter2hunter2")


def test_trouble_that_lasts_is_said_once(workspace: Workspace, rows: list[Row], go: Go) -> None:
    """It is tried again at the latest when the launch ends."""
    down = Workspace.open(workspace.root, {**ENVIRON, "CALLBOARD_LEDGER_URL": "postgresql://nobody@127.0.0.1:1/none"})

    async def seen(heard: asyncio.Queue[str]) -> None:
        assert (await heard.get()).endswith("the run goes on, and the ledger catches up later")

    assert len(go(kept(down, seen))) == 1


def test_a_postgres_that_goes_away_and_comes_back_is_caught_up_with(
    workspace: Workspace, rows: list[Row], go: Go
) -> None:
    with tempfile.TemporaryDirectory(prefix="cb-pg-") as folder:
        server = PostgresServer(Path(folder))
        try:
            there = Workspace.open(workspace.root, {**ENVIRON, "CALLBOARD_LEDGER_URL": server.fresh()})

            async def stopped_and_started(heard: asyncio.Queue[str]) -> None:
                await asyncio.to_thread(until, lambda: taken(there) == 60)
                await asyncio.to_thread(server.kill)
                workspace.archive(RUN).append([*CraftedJournal(RUN, SEED).rows(90)][60:])
                assert (await heard.get()).endswith("the run goes on, and the ledger catches up later")
                await asyncio.to_thread(server.start)
                assert await heard.get() == "the ledger is written again"

            assert len(go(kept(there, stopped_and_started))) == 2
            assert_is_the_fold(open_ledger(there), RUN, "my-shop", [*CraftedJournal(RUN, SEED).rows(90)])
        finally:
            server.stop()


def test_a_file_that_another_process_holds_for_long_is_caught_up_with(
    workspace: Workspace, rows: list[Row], go: Go
) -> None:
    open_ledger(workspace).close()
    path = workspace.layout.home / "ledger.db"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"

    async def let_go(heard: asyncio.Queue[str]) -> None:
        said = await heard.get()
        assert "database is locked; another program holds it; the run goes on" in said
        holder.communicate("")
        assert await heard.get() == "the ledger is written again"

    assert len(go(kept(workspace, let_go))) == 2
    assert_is_the_fold(open_ledger(workspace), RUN, "my-shop", rows)


def taken(workspace: Workspace) -> int:
    """How many entries are in the ledger."""
    database = open_ledger(workspace)
    try:
        with database.reading() as connection:
            head = store.head_of(connection, RUN)
    finally:
        database.close()
    return head.seq if head else 0


def test_what_another_process_keeps_is_left_to_it(workspace: Workspace, rows: list[Row], go: Go) -> None:
    lock = ProcessLock(workspace.layout.lock("ledger"))
    lock.acquire()
    assert go(kept(workspace)) == []
    assert not workspace.layout.home.joinpath("ledger.db").exists()
    lock.release()


@pytest.mark.parametrize(
    ("toml", "environ", "url"),
    [
        ("", {}, "sqlite:///{home}/ledger.db"),
        ("", {"DATABASE_URL": "postgresql://a:b@db/shop"}, "postgresql://a:b@db/shop"),
        ("", {"DATABASE_URL": "mysql://db/shop"}, "sqlite:///{home}/ledger.db"),
        ("", {"DATABASE_URL": "sqlite:////shop.db"}, "sqlite:///{home}/ledger.db"),
        ('[ledger]\nurl = "embedded"\n', {"DATABASE_URL": "postgresql://db/shop"}, "sqlite:///{home}/ledger.db"),
        ("", {"DATABASE_URL": "postgresql://db/shop", "CALLBOARD_LEDGER_URL": "postgresql://db/ours"}, "postgresql://db/ours"),
        ('[ledger]\nurl = "off"\n', {"CALLBOARD_LEDGER_URL": "postgresql://db/ours"}, "postgresql://db/ours"),
    ],
)  # fmt: skip
def test_where_the_ledger_is(workspace: Workspace, toml: str, environ: dict[str, str], url: str) -> None:
    path = workspace.root / "callboard.toml"
    path.write_text(toml + path.read_text())
    found = Workspace.open(workspace.root, {**ENVIRON, **environ})
    assert ledger_url(found) == url.format(home=workspace.layout.home)


def test_commands_check_verify_and_rebuild_it(
    workspace: Workspace, rows: list[Row], go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CALLBOARD_LEDGER_URL")
    root, database = workspace.root, workspace.layout.home / "ledger.db"
    empty = callboard(root, "ledger", "check")
    assert "schema none yet, it is empty" in empty.stdout
    assert f"run {RUN} of my-shop: 0 of 60 journal rows" in empty.stdout
    assert not database.exists()
    assert callboard(root, "rebuild", "--ledger").stdout == f"run {RUN} is in the ledger: 60 journal rows\n"
    assert f"run {RUN} of my-shop: all 60 journal rows" in callboard(root, "ledger", "check").stdout
    right = callboard(root, "audit", "verify")
    assert (right.returncode, right.stdout.split(" and ")[0]) == (0, f"run {RUN}: 60 journal rows")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE journal SET at = at + 1 WHERE seq = 33")
    connection.close()
    wrong = callboard(root, "audit", "verify", RUN, "--json")
    assert wrong.returncode == 1
    said = json.loads(wrong.stdout)
    assert (said["ok"], said["runs"][0]["fault"]["table"], said["runs"][0]["fault"]["row"]) == (False, "journal", "33")
    assert callboard(root, "rebuild", "--ledger", RUN).returncode == 0
    assert callboard(root, "audit", "verify").returncode == 0
    assert callboard(root, "ledger", "upgrade").stdout == "the ledger has schema 0001 already; nothing was to be done\n"
    unknown = callboard(root, "audit", "verify", "nobody's")
    assert (unknown.returncode, unknown.stderr) == (
        1,
        f'error: the ledger has nothing of run "nobody\'s"; it has: {RUN}\n',
    )
    assert_is_the_fold(connect(f"sqlite:///{database}"), RUN, "my-shop", rows)
