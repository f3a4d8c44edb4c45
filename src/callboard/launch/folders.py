"""Folders that commands fill."""

from __future__ import annotations

from pathlib import Path

from callboard.bus.errors import RosterError


def refuse_filled(folder: Path) -> None:
    """Whether a folder may be filled is asked before anything is done for it.

    Raises:
        RosterError: Something is in the folder, or it is none.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise RosterError(f"{folder} is not empty; give a folder that is empty or does not exist")
