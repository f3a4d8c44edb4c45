"""Lays a recorded run out to be played back: a repository at its base, its directions, its call logs, nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from callboard.agents.workspace.create import copy_repository
from callboard.app import Workspace
from callboard.bus.errors import RosterError
from callboard.launch.runs import PREFIX
from callboard.settings import FILE


def lay_out(workspace: Workspace, run: str, path: Path) -> None:
    """Fill an empty or absent folder with what a run began with.

    Args:
        run: The run; "" = the newest that has call logs.

    Raises:
        RosterError: The run cannot be played back, or something is in the folder; nothing was changed.
    """
    chosen = _recorded(workspace, run)
    base = f"{PREFIX}/{chosen}/base"
    if workspace.repository.resolve(base) is None:
        raise RosterError(f"the commit that run {chosen} began with is gone: there is no {base}")
    others = [it.name for it in (*workspace.settings.drivers, *workspace.settings.reviewers) if it.model is None]
    if others:
        raise RosterError(f"only what models said is recorded, and {', '.join(others)} think with something else")
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise RosterError(f"{path} is not empty; give a folder that is empty or does not exist")
    path.mkdir(parents=True, exist_ok=True)
    copy_repository(workspace.root, base, path, branch=workspace.settings.project.target)
    paths = workspace.settings.paths
    shutil.copy2(workspace.root / FILE, path / FILE)
    for folder in (paths.directions, paths.roles):
        if (workspace.root / folder).is_dir():
            shutil.copytree(workspace.root / folder, path / folder, dirs_exist_ok=True)
    played = Workspace.open(path, workspace.environ)
    shutil.copytree(workspace.layout.calls(chosen), played.layout.play)


def _recorded(workspace: Workspace, run: str) -> str:
    folder = workspace.layout.home / "calls"
    known = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    if not known:
        raise RosterError("no run here has a recorded model call; only those of models can be played back")
    if run and run not in known:
        raise RosterError(f"no call of run {run!r} is recorded; there are {', '.join(known)}")
    return run or known[-1]
