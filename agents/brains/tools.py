"""What a brain in this process may do to files: nothing outside its clone, also not through a link."""

from __future__ import annotations

import os
from pathlib import Path

from callboard.bus.errors import BrainError


def resolve_inside(root: Path, path: str) -> Path:
    """The real path of a tool's argument, after following every link in it.

    Raises:
        BrainError: It leads out of `root`, is `root` itself, or lies in a `.git`.
    """
    if not path or "\0" in path:
        raise BrainError(f"{path!r} is no path; give one relative to the clone")
    base = Path(os.path.realpath(root))
    real = Path(os.path.realpath(base / path))
    if real == base or not real.is_relative_to(base):
        raise BrainError(f"{path!r} leads out of the clone; tools write inside it only")
    if any(part.casefold() == ".git" for part in (*real.relative_to(base).parts, *Path(path).parts)):
        raise BrainError(f"{path!r} lies in a .git; tools leave repositories to git")
    return real


def write_file(root: Path, path: str, text: str) -> None:
    """Write a file, with the folders it needs.

    Raises:
        BrainError: The path is not inside `root`, or cannot be written.
    """
    target = resolve_inside(root, path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            raise BrainError(f"{path!r} is no ordinary file; tools write ordinary files only")
        # The path is resolved: a link here now was put there since.
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise BrainError(f"{path!r} cannot be written: {error.strerror}") from error


def edit_file(root: Path, path: str, old: str, new: str) -> None:
    """Replace the one place where `old` stands.

    Raises:
        BrainError: As for `write_file`; or `old` is not there exactly once.
    """
    target = resolve_inside(root, path)
    try:
        if not target.is_file():
            raise BrainError(f"{path!r} is not a file of the clone; write it first")
        before = target.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrainError(f"{path!r} cannot be read as text: {error}") from error
    if not old or before.count(old) != 1:
        raise BrainError(f"{path!r} holds the text to replace {before.count(old) if old else 0} times; it takes one")
    write_file(root, path, before.replace(old, new))
