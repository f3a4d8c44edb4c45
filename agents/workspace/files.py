"""Folders that somebody else filled: removed and walked without following a link of theirs."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Container, Iterator
from pathlib import Path


def remove(path: Path) -> None:
    """Remove a file, a link (not what it points to) or a whole folder; fine when it is not there."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        make_accessible(path)
        shutil.rmtree(path)


def make_accessible(top: Path) -> None:
    """Give ourselves the right to read every file and to change every folder below `top`."""
    for folder, names, files in os.walk(top):
        _allow(Path(folder), stat.S_IRWXU)
        for name in names:
            _allow(Path(folder, name), stat.S_IRWXU)
        for name in files:
            _allow(Path(folder, name), stat.S_IRUSR | stat.S_IWUSR)


def _allow(path: Path, bits: int) -> None:
    mode = path.lstat().st_mode
    if not stat.S_ISLNK(mode) and mode & bits != bits:
        path.chmod(stat.S_IMODE(mode) | bits)


def walk(top: Path, folder: str = "", *, without: Container[str] = ()) -> Iterator[tuple[str, bool]]:
    """Everything below `folder`: its path relative to `top`, and whether it is a real folder.

    A `.git` is named but not looked into, as is what `without` names.
    """
    for here, names, files in os.walk(top / folder):
        inside = Path(here).relative_to(top)
        yield from (((inside / name).as_posix(), False) for name in sorted(files))
        descend = []
        for name in sorted(names):
            path = (inside / name).as_posix()
            if path not in without:
                yield path, not (top / path).is_symlink()
                descend += [name] if name.casefold() != ".git" else []
        names[:] = descend
