"""`callboard export`, `import` and `rebuild`: a run as a folder, and back on a server that does not have it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callboard.bus.errors import BusError, RosterError
from callboard.cli.options import Json
from callboard.cli.output import note, plural, print_json, say
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.archiver import Restored

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run, as `callboard runs` lists it; else the newest.")]


def export(
    run: Run = "",
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A new or empty folder; else one in .callboard/exports.")
    ] = None,
    layout: Annotated[
        Literal["archive", "runs"],
        typer.Option(help="runs: summaries and issues of the run, its tiers and tasks; DIR may hold other runs."),
    ] = "archive",
    json: Json = False,
) -> None:
    """Write a run into one readable folder.

    Its journal, its board, its logs, and a manifest with a hash of each file. `callboard import` brings it back.
    """
    from callboard.launch.exporting import export_run
    from callboard.launch.joining import current_run
    from callboard.launch.run_layout import runs_folder

    workspace = open_workspace()
    run = run or current_run(workspace)
    if layout == "runs":
        folder = folder or runs_folder(workspace.layout.home, workspace.environ)
        _export_layout(workspace, run, folder.absolute(), json=json)
        return
    path = (folder or workspace.layout.home / "exports" / run).absolute()
    manifest = wait_for(export_run(workspace, run, path))
    if json:
        print_json({"ok": True, "folder": str(path), "manifest": manifest})
    else:
        say(f"run {run} is in {path}: {manifest.entries} journal entries, {plural(len(manifest.files), 'file')}")


def _export_layout(workspace: Workspace, run: str, folder: Path, *, json: bool) -> None:
    from callboard.launch.run_layout import export_layout

    files = wait_for(export_layout(workspace, run, folder))
    if json:
        print_json({"ok": True, "folder": str(folder), "files": files})
    else:
        say(f"run {run} is in {folder / run}, the project's backlog and rules beside it: {plural(len(files), 'file')}")


def import_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `callboard export` wrote.")], json: Json = False
) -> None:
    """Bring an exported run back to a bus that does not have it.

    Refused when the run is here already, a file is not as it was exported, or a newer version wrote it.
    """
    from callboard.launch.importing import import_run

    found = wait_for(import_run(open_workspace(), folder.absolute()))
    if json:
        print_json({"ok": True, "imported": found})
        return
    say(f"run {found.run} is on the bus: {found.entries} journal entries, {found.waiting} messages in inboxes")
    if not found.is_listed:
        say("the commit it began from is not in this repository, so `callboard runs` does not list it: fetch it first")


def rebuild(
    run: Run = "",
    ledger: Annotated[
        bool, typer.Option("--ledger", help="The ledger instead, of RUN or of every run that is archived here.")
    ] = False,
    json: Json = False,
) -> None:
    """Give the bus back what it lost of a run, or make the ledger anew.

    From the archive, after FLUSHALL or a lost `.callboard/bus`: board, inboxes, timers, spend. A launch does it by itself.
    """
    from callboard.launch.joining import current_run

    workspace = open_workspace()
    if ledger:
        _rebuild_ledger(workspace, run, json=json)
        return
    run = run or current_run(workspace)
    restored = wait_for(_rebuild(workspace, run))
    if json:
        print_json({"ok": True, "run": run, "restored": restored})
        return
    for each in restored:
        say(f"run {run}: {each}")
    if not restored:
        say(f"run {run}: the bus holds everything that is archived, nothing was to be done")


def _rebuild_ledger(workspace: Workspace, run: str, *, json: bool) -> None:
    from callboard.launch.auditing import rebuild_ledger

    rebuilt = rebuild_ledger(workspace, run, note)
    if json:
        print_json({"ok": True, "rebuilt": rebuilt})
        return
    for one in rebuilt:
        say(f"run {one.run} is in the ledger: {plural(one.entries, 'journal row')}")
    if not rebuilt:
        say("nothing is archived here yet, so there is nothing to put into the ledger")


async def _rebuild(workspace: Workspace, run: str) -> list[Restored]:
    from callboard.launch.archiving import bring_archive_up
    from callboard.launch.joining import open_bus
    from callboard.launch.status import is_running

    if is_running(workspace):
        raise RosterError("a roster runs here, and its launcher restores what the bus loses by itself, within a second")
    if workspace.archive(run).last() is None:
        raise BusError(f"there is no archive of run {run!r} in {workspace.layout.home / 'archive'}")
    async with open_bus(workspace, run) as bus:
        return await bring_archive_up(workspace, bus, lambda _: None)
