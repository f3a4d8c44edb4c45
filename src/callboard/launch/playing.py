"""Lays a recording out to be played: a repository at the commit where it began, its roster, its directions, nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from callboard.agents.workspace.create import copy_repository
from callboard.app import Workspace
from callboard.bus.errors import RosterError
from callboard.launch.folders import refuse_filled
from callboard.launch.recording import TALKS, read_recording
from callboard.settings import FILE, load_settings


def lay_out(workspace: Workspace, recording: Path, path: Path) -> None:
    """Fill an empty or absent folder with what a recorded run began with.

    Args:
        workspace: Of any clone of the repository in which it was recorded.

    Raises:
        RosterError: The recording cannot be played here, or something is in the folder; nothing was changed.
    """
    about, settings = read_recording(recording), load_settings(recording / FILE, workspace.environ)
    if workspace.repository.resolve(about.base) is None:
        raise RosterError(
            f"the commit {about.base[:12]} that {recording} began with is not in this repository: fetch it, or play the "
            "recording in a clone of the repository that it was made in"
        )
    refuse_filled(path)
    path.mkdir(parents=True, exist_ok=True)
    copy_repository(workspace.root, about.base, path, branch=settings.project.target)
    shutil.copy2(recording / FILE, path / FILE)
    for folder in (settings.paths.directions, settings.paths.roles):
        if (recording / folder).is_dir():
            shutil.copytree(recording / folder, path / folder, dirs_exist_ok=True)
    shutil.copytree(recording / TALKS, Workspace.open(path, workspace.environ).layout.play)
