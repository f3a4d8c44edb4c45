"""Lends an agent CLI the login of the person who launched: copied into its own HOME, never back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from callboard.bus.errors import BrainError

MAX_BYTES = 1_000_000
"""A login is some kilobytes."""


def lend(files: Sequence[str], source: Path, home: Path) -> None:
    """Copy login files that are newer than their copies; a copy that the CLI has renewed since stays.

    Args:
        files: Paths below both homes.
        source: The person's HOME.
        home: The agent's. Brains write there, so no link below it is followed.

    Raises:
        BrainError: A link or something else is in the way.
    """
    for name in files:
        try:
            _copy(name, source, home)
        except OSError as error:
            reason = error.strerror or str(error)
            raise BrainError(
                f"the login {name} could not be copied into {home}: {reason}; remove what is there"
            ) from error


def _copy(name: str, source: Path, home: Path) -> None:
    original = source / name
    if not original.is_file():
        return
    *folders, last = Path(name).parts
    with _folder(home, folders) as folder:
        newest = original.stat().st_mtime_ns
        if _age(last, folder) >= newest:
            return
        content = original.read_bytes()[:MAX_BYTES]
        _remove(f"{last}.new", folder)
        handle = os.open(f"{last}.new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.utime(f"{last}.new", ns=(newest, newest), dir_fd=folder, follow_symlinks=False)
        os.replace(f"{last}.new", last, src_dir_fd=folder, dst_dir_fd=folder)


@contextmanager
def _folder(home: Path, folders: Sequence[str]) -> Iterator[int]:
    """A folder below home, made where it is not there; each step refuses a link."""
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        for name in folders:
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=handle)
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)


def _age(name: str, folder: int) -> int:
    """When a copy was written; -1 = there is none."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return -1


def _remove(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
