"""What runs beside a roster, over a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path

from boards import run_doc
from roster import Workspace as Roster
from waiting import Go

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.launch.archiving import bring_archive_up
from callboard.launch.keeping import keeping

Said = asyncio.Queue[str]


async def until(said: Said, words: str) -> None:
    while words not in await said.get():
        pass


def broken() -> int:
    raise ZeroDivisionError("no such disk")


def opened(tmp_path: Path) -> Workspace:
    made = Roster(tmp_path / "shop")
    made.init({})
    return Workspace.open(made.path, {"PATH": "/usr/bin:/bin"})


def test_what_dies_beside_a_roster_is_said_and_another_run_is_archived_meanwhile(
    tmp_path: Path, bus: Bus, server_url: str, go: Go
) -> None:
    """The watch of the disk, of an error that nobody foresaw."""
    workspace = opened(tmp_path)

    async def scenario() -> None:
        await bus.create_run(run_doc().model_copy(update={"id": bus.run, "version": 0}))
        said: Said = asyncio.Queue()
        async with keeping(workspace, bus, broken, said.put_nowait):
            await until(said, "the watch of the disk died of an error, ZeroDivisionError: no such disk")

            await another_run_is_archived()

    async def another_run_is_archived() -> None:
        other = await Bus.connect(server_url, "other")
        try:
            await other.create_run(run_doc().model_copy(update={"id": "other", "version": 0}))
            await bring_archive_up(workspace, other, print)
        finally:
            await other.close()
        assert [row.seq for row in workspace.archive("other").rows()] == [1]

    go(scenario())
