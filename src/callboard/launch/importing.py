"""Brings an exported run back: its archive, its data on an empty server, and its call logs."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from callboard.app import Workspace
from callboard.bus.archive import FileArchive, in_batches
from callboard.bus.archiver import Restored
from callboard.bus.bus import RUN_NAME, Bus
from callboard.bus.errors import BusError, RosterError
from callboard.launch.archiving import bring_archive_up
from callboard.launch.exporting import AT_ONCE, FORMAT, MANIFEST, Manifest, file_seen, files_in
from callboard.launch.joining import open_bus
from callboard.launch.runs import PREFIX
from callboard.launch.status import is_running


@dataclass(frozen=True, slots=True)
class Imported:
    run: str
    entries: int
    waiting: int
    """Messages in inboxes."""
    is_listed: bool
    """`callboard runs` lists it: the commit it began from is in this repository."""


def read_manifest(folder: Path) -> Manifest:
    """What a folder holds, once every file in it was found to be as it was exported.

    Raises:
        BusError: It is no exported run, of a newer version, or not as it was exported.
    """
    path = folder / MANIFEST
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise BusError(f"{path} is not there; name a folder that `callboard export` wrote") from None
    except (OSError, ValidationError) as error:
        raise BusError(f"{path} is no manifest of an exported run: {str(error)[:300]}") from error
    if manifest.format > FORMAT:
        raise BusError(
            f"{folder} was written by Callboard {manifest.callboard} in format {manifest.format}, and this one reads up to "
            f"{FORMAT}; import it with that version or a newer one"
        )
    if not RUN_NAME.fullmatch(manifest.run):
        raise BusError(f"{path}: {manifest.run!r} is no name for a run")
    there = {file.relative_to(folder).as_posix(): file for file in files_in(folder)}
    for name, seen in manifest.files.items():
        if name not in there or there[name].is_symlink() or file_seen(there[name]) != seen:
            what = "is not as it was exported" if name in there else "is not there"
            raise BusError(
                f"{folder / name} {what}; nothing was imported. Copy the folder again from where it was exported"
            )
    return manifest


async def import_run(workspace: Workspace, folder: Path) -> Imported:
    """Bring an exported run back.

    Raises:
        BusError: As `read_manifest`; or the run is here already.
        RosterError: A roster runs here.
    """
    manifest = await asyncio.to_thread(read_manifest, folder)
    if is_running(workspace):
        raise RosterError("a roster runs here; `callboard stop` first, then import")
    async with open_bus(workspace, manifest.run) as bus:
        await _refuse_known(workspace, bus)
        await asyncio.to_thread(_copy, workspace, manifest, folder)
        [restored] = await bring_archive_up(workspace, bus, lambda _: None)
        return await _imported(workspace, bus, restored)


async def _refuse_known(workspace: Workspace, bus: Bus) -> None:
    where = "on the bus" if await bus.seq() or (await bus.board()).docs else ""
    if not where and workspace.archive(bus.run).last() is not None:
        where = f"in {workspace.archive(bus.run).path}; `callboard rebuild {bus.run}` brings it back from there"
    if where:
        raise BusError(f"run {bus.run} is here already, {where}; nothing was imported")


def _copy(workspace: Workspace, manifest: Manifest, folder: Path) -> None:
    """The archive appears in one step: an import that was broken off can be repeated."""
    final = workspace.layout.archive(manifest.run)
    making = final.with_name(f"{manifest.run}.import")
    shutil.rmtree(making, ignore_errors=True)
    archive = FileArchive(making)
    for rows in in_batches(FileArchive(folder).rows(), AT_ONCE):
        archive.append(rows)
    last = archive.last()
    if last is None or (last.seq, archive.head()) != (manifest.entries, manifest.hash):
        raise BusError(f"the journal in {folder} does not end as its manifest says; nothing was imported")
    calls = workspace.layout.calls(manifest.run)
    # what the manifest does not name was not checked: it stays where it is
    for name in sorted(name for name in manifest.files if name.startswith("calls/")):
        calls.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, calls / Path(name).name, follow_symlinks=False)
    shutil.rmtree(final, ignore_errors=True)
    making.rename(final)


async def _imported(workspace: Workspace, bus: Bus, restored: Restored) -> Imported:
    base = (await bus.board()).run.base
    ref = f"{PREFIX}/{bus.run}/base"
    is_here = bool(base) and workspace.repository.resolve(base) == base
    if is_here and workspace.repository.resolve(ref) is None:
        workspace.repository.update_ref(ref, base, None)
    return Imported(bus.run, restored.seq, restored.waiting, is_here)
