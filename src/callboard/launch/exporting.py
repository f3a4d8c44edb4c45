"""A run as one folder, for people and for another server: journal, board, logs, and a manifest with a hash of each file."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version as version_of
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from callboard.app import Workspace
from callboard.bus.archive import FileArchive, in_batches
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.errors import BusError
from callboard.bus.run_state import RunState
from callboard.feedback.log import FeedbackLog, logs_in
from callboard.launch.archiving import bring_archive_up
from callboard.launch.folders import refuse_filled
from callboard.launch.joining import open_bus
from callboard.launch.status import is_running

MANIFEST = "manifest.json"
FORMAT = 1
"""Of the folder; a higher one is not read."""
AT_ONCE = 1_000
"""Rows written with one fsync."""
ARCHIVED_S = 30.0
"""How long the launcher that runs here may take to archive what is in the journal; it takes a quarter of a second."""


class FileSeen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    sha256: str
    size: int
    """Bytes."""


class Manifest(BaseModel):
    """What an exported folder holds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int
    callboard: str
    """The version that wrote it."""
    run: str
    exported_at: AwareDatetime
    entries: int
    """The number of the journal's last entry."""
    hash: str
    """The last line's hash in the journal: it stands for all of it."""
    files: dict[str, FileSeen]
    """Path in the folder, with slashes."""


async def export_run(workspace: Workspace, run: str, folder: Path) -> Manifest:
    """Write a run into a folder, which must be new or empty.

    Raises:
        RosterError: Something is in the folder.
        BusError: There is nothing of this run here, or the archive is broken.
    """
    refuse_filled(folder)
    await _archive_all(workspace, run)
    return await asyncio.to_thread(_write, workspace, run, folder, utc_now())


async def _archive_all(workspace: Workspace, run: str) -> None:
    """Have everything archived that the bus holds of the run; one that it does not hold any more is in the archive alone."""
    archive = workspace.archive(run)
    async with open_bus(workspace, run) as bus:
        seq, last = await bus.seq(), archive.last()
        if last is None and not seq:
            raise BusError(f"there is nothing of run {run!r} here; `callboard runs` lists the runs")
        if last is not None and seq < last.seq:
            return
        if is_running(workspace):
            await _until_archived(bus, archive, seq)
        else:
            await bring_archive_up(workspace, bus, lambda _: None)


async def _until_archived(bus: Bus, archive: FileArchive, seq: int) -> None:
    try:
        async with asyncio.timeout(ARCHIVED_S):
            while (last := archive.last()) is None or last.seq < seq:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise BusError(
            f"the launcher here has not archived entry {seq} within {ARCHIVED_S:.0f} s; its output says why"
        ) from None


def _write(workspace: Workspace, run: str, folder: Path, now: datetime) -> Manifest:
    folder.mkdir(parents=True, exist_ok=True)
    written, state = FileArchive(folder), RunState()
    for rows in in_batches(workspace.archive(run).rows(), AT_ONCE):
        written.append(rows)
        for row in rows:
            state.apply(row)
    board = {name: json.loads(doc) for name, doc in sorted(state.board.items())}
    (folder / "board.json").write_text(json.dumps(board, indent=2, ensure_ascii=False) + "\n", "utf-8")
    _copy_logs(workspace, run, folder)
    manifest = Manifest(
        format=FORMAT,
        callboard=version_of("callboard"),
        run=run,
        exported_at=now,
        entries=state.seq,
        hash=written.head(),
        files={path.relative_to(folder).as_posix(): file_seen(path) for path in files_in(folder)},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    return manifest


def _copy_logs(workspace: Workspace, run: str, folder: Path) -> None:
    """`feedback/`: this run's entries of each agent's log; `logs/`: what processes said; `calls/`: call logs."""
    logs = workspace.root / workspace.settings.paths.feedback
    for agent in logs_in(logs):
        entries = [entry.render() for entry in FeedbackLog(logs, agent).entries() if entry.id.run == run]
        if entries:
            _made(folder / "feedback").joinpath(f"{agent}.md").write_text("".join(entries), "utf-8")
    for name, source, pattern in (
        ("logs", workspace.layout.home / "logs", "*.log"),
        ("calls", workspace.layout.calls(run), "*.jsonl"),
    ):
        for path in sorted(source.glob(pattern)):
            shutil.copyfile(path, _made(folder / name) / path.name)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def files_in(folder: Path) -> Iterator[Path]:
    """Every file of an exported folder but its manifest."""
    for place, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if (path := Path(place) / name) != folder / MANIFEST:
                yield path


def file_seen(path: Path) -> FileSeen:
    with path.open("rb") as file:
        return FileSeen(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)
