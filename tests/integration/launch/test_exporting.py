"""A run as a folder, and back on a server that does not have it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from handlers import message, progress
from roster import Workspace as Made
from roster import run_git, task
from servers import Server
from waiting import Go

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.caps import Caps, OpenCall, Spent
from callboard.bus.errors import ArchiveBroken, BusError, RosterError
from callboard.bus.messages import JOURNAL, Draft, FeedbackLogged, Outcome, Timer
from callboard.bus.run_state import RunState
from callboard.launch.archiving import bring_archive_up
from callboard.launch.exporting import export_run
from callboard.launch.importing import import_run
from callboard.launch.runs import create, read_board

INBOXES = ("manager", "gate", "land", "driver-1", "driver-2")
WIDE = Caps(tokens=10**9, micro_usd=10**9, minutes=1, attempts=1)


@pytest.fixture
def workspace(tmp_path: Path, server_url: str, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    made = Made(tmp_path / "project")
    made.init({"driver-1": task("1 - One")})
    monkeypatch.setenv("CALLBOARD_BUS_URL", server_url)
    return Workspace.open(made.path, os.environ)


async def work(bus: Bus, workspace: Workspace) -> None:
    """A run with something of everything: handled, held, unread, timers, a dead letter, what calls cost and hold back."""
    from datetime import timedelta

    await create(bus, workspace, run_git(workspace.root, "rev-parse", "main"))
    for name in ("one", "two", "three", "four"):
        await bus.send(message(name), sender="manager")
    one, two, _ = await bus.inbox("driver-1", "driver-1.here.1").receive(3)
    note = Draft(JOURNAL, FeedbackLogged(log="driver-1", entry="task", title="did it"))
    await one.commit(Outcome((progress("done"), note), timers=(Timer(timedelta(hours=1), progress("late")),)))
    await two.reject("nobody can read this")
    for number in (1, 2):
        call = OpenCall(id=str(number), agent="driver-1", task="T-1", model="m", tokens=9, micro_usd=None)
        assert await bus.spending.reserve(call, {"run": WIDE}, []) is None
    await bus.spending.settle("1", Spent(calls=1, output_tokens=7))


async def whole(bus: Bus) -> RunState:
    """What is there, but for what no journal says."""
    state = await bus.store.whole(INBOXES)
    state.at, state.done = 0, {}
    for inbox in state.inboxes.values():
        for id, each in inbox.items():
            inbox[id] = type(each)(each.raw)
    return state


async def forget(bus: Bus, workspace: Workspace) -> None:
    """As on another machine: nothing on the bus, no archive."""
    await bus.data.remove(INBOXES)
    workspace.layout.archive(bus.run).rename(workspace.root.parent / "elsewhere")


def test_an_imported_run_is_the_exported_one(bus: Bus, go: Go, workspace: Workspace, tmp_path: Path) -> None:
    async def scenario() -> None:
        await work(bus, workspace)
        (workspace.layout.home / "logs").mkdir(parents=True)
        workspace.layout.log("driver-1").write_text("said\n")
        workspace.layout.calls(bus.run).mkdir(parents=True)
        workspace.layout.call_log(bus.run, "T-1", 1, "driver-1").write_text("{}\n")
        first = await export_run(workspace, bus.run, tmp_path / "first")
        before = await whole(bus)
        assert json.loads((tmp_path / "first/board.json").read_text())["run"]["id"] == bus.run
        assert set(first.files) == {"board.json", "journal.jsonl", "logs/driver-1.log", "calls/T-1.1.driver-1.jsonl"}
        with pytest.raises(BusError, match="is here already, on the bus"):
            await import_run(workspace, tmp_path / "first")
        await forget(bus, workspace)
        workspace.layout.call_log(bus.run, "T-1", 1, "driver-1").unlink()
        private = tmp_path / "private"
        private.write_text("mine\n")
        (tmp_path / "first/calls/T-9.1.driver-1.jsonl").symlink_to(private)
        found = await import_run(workspace, tmp_path / "first")
        assert (found.entries, found.waiting, found.is_listed) == (first.entries, 3, True)
        assert await whole(bus) == before
        assert [letter.error for letter in await bus.dead()] == ["nobody can read this"]
        assert workspace.layout.call_log(bus.run, "T-1", 1, "driver-1").read_text() == "{}\n"
        assert not workspace.layout.call_log(bus.run, "T-9", 1, "driver-1").exists(), "what no manifest names came in"
        second = await export_run(workspace, bus.run, tmp_path / "second")
        assert (second.hash, second.files) == (first.hash, first.files)

    go(scenario())


def change_log(folder: Path) -> None:
    (folder / "logs/driver-1.log").write_text("other\n")


def remove_board(folder: Path) -> None:
    (folder / "board.json").unlink()


def newer(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text()) | {"format": 2, "callboard": "9.1"}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def other_end(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text()) | {"hash": "0" * 64}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def broken_chain(folder: Path) -> None:
    """Somebody changed the journal and mended its hash in the manifest."""
    import hashlib

    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"sender":"launcher"', b'"sender":"somebody"', 1))
    manifest = json.loads((folder / "manifest.json").read_text())
    seen = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
    manifest["files"]["journal.jsonl"] = seen
    (folder / "manifest.json").write_text(json.dumps(manifest))


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (change_log, "logs/driver-1.log is not as it was exported"),
        (remove_board, "board.json is not there"),
        (newer, "written by Callboard 9.1 in format 2, and this one reads up to 1"),
        (other_end, "does not end as its manifest says"),
        (broken_chain, "journal.jsonl:1: its hash does not follow"),
        (no_manifest, "manifest.json is not there; name a folder that `callboard export` wrote"),
    ],
)
def test_what_is_not_as_it_was_exported_is_refused(
    bus: Bus, go: Go, workspace: Workspace, tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    async def scenario() -> None:
        await work(bus, workspace)
        (workspace.layout.home / "logs").mkdir(parents=True)
        workspace.layout.log("driver-1").write_text("said\n")
        await export_run(workspace, bus.run, tmp_path / "out")
        await forget(bus, workspace)
        spoil(tmp_path / "out")
        with pytest.raises((BusError, ArchiveBroken), match=says):
            await import_run(workspace, tmp_path / "out")
        assert await bus.seq() == 0
        assert workspace.archive(bus.run).last() is None

    go(scenario())


def test_a_folder_that_holds_something_is_not_written_to(
    bus: Bus, go: Go, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").write_text("")
    with pytest.raises(RosterError, match="is not empty; give a folder"):
        go(export_run(workspace, bus.run, tmp_path / "full"))
    with pytest.raises(BusError, match="there is nothing of run 'x' here"):
        go(export_run(workspace, "x", tmp_path / "out"))


def test_a_launch_restores_a_run_that_its_server_has_lost(
    bus: Bus, go: Go, workspace: Workspace, server: Server
) -> None:
    async def scenario() -> None:
        await work(bus, workspace)
        await bring_archive_up(workspace, bus, lambda _: None)
        before, said = await whole(bus), list[str]()
        await bus.data.remove(INBOXES)
        doc = (await read_board(bus.url, workspace, bus.run, said.append)).run
        assert (doc.id, doc.state) == (bus.run, "created")
        assert await whole(bus) == before
        assert ["had lost everything" in line for line in said] == [True]

    go(scenario())


def test_one_process_archives_a_run(bus: Bus, go: Go, workspace: Workspace) -> None:
    from callboard.agents.workspace.locks import ProcessLock

    lock = ProcessLock(workspace.layout.lock(f"archive-{bus.run}"))
    lock.acquire()
    with pytest.raises(RosterError, match="already running here"):
        go(bring_archive_up(workspace, bus, lambda _: None))
    lock.release()
