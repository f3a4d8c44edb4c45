"""`callboard export --layout runs`: a run as files that Autopack's tools and people know."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path

from callboard.app import Workspace
from callboard.bus.board import Board
from callboard.bus.errors import BusError, ConfigError
from callboard.launch.backlog import board_of
from callboard.launch.joining import open_bus
from callboard.launch.run_files import project_files, run_files

RUNS_DIR = ("CALLBOARD_RUNS_DIR", "AUTONOMOUS_RUNS_DIR")
"""Variables that name the folder of all runs; the first one that says anything counts."""


def runs_folder(home: Path, environ: Mapping[str, str]) -> Path:
    """Where runs are written when no folder is named.

    Args:
        home: The workspace's state, in which they are otherwise.

    Raises:
        ConfigError: A variable names something that is no folder.
    """
    for name in RUNS_DIR:
        if text := environ.get(name):
            folder = Path(text).expanduser()
            if folder.exists() and not folder.is_dir():
                raise ConfigError(f"{folder} is no folder; name another one", key=f"environment variable {name}")
            return folder
    return home / "exports" / "runs"


async def export_layout(workspace: Workspace, run: str, folder: Path) -> list[str]:
    """Write a run into `<folder>/<run>`, and what is the project's beside it; other runs' folders stay.

    Returns:
        The paths that were written, from the folder.

    Raises:
        BusError: There is nothing of this run here, or it is in the folder already.
    """
    if (folder / run).exists():
        raise BusError(f"{folder / run} is there already; name another folder, or remove it")
    async with open_bus(workspace, run) as bus:
        board = await board_of(bus, workspace, run)
    if not board.run.version:
        raise BusError(f"there is nothing of run {run!r} here; `callboard runs` lists the runs")
    return await asyncio.to_thread(_write, workspace, board, run, folder)


def _write(workspace: Workspace, board: Board, run: str, folder: Path) -> list[str]:
    project = re.sub(r"[^A-Za-z0-9._-]+", "-", workspace.root.name).strip("-.") or "project"
    files = {f"{run}/{path}": text for path, text in run_files(board).items()}
    files |= project_files(board, workspace.policy, project)
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(workspace.redactor.text(text), "utf-8")
    return sorted(files)
