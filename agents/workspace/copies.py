"""Files of the user's checkout that git ignores and a checkout of ours needs, such as `.env.test`; never part of a commit."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.workspace.files import remove
from callboard.agents.workspace.git import Repository
from callboard.bus.errors import CommandFailed


@dataclass(frozen=True, slots=True)
class Copies:
    """`[project] copy`."""

    root: Path = Path()
    """The user's checkout."""
    paths: tuple[str, ...] = ()
    """Files in it, relative."""

    def refresh(self, folder: Path, without: Sequence[str] = ()) -> None:
        """Make the copies in a checkout what they are at the user's; a brain may have put anything in their place.

        Args:
            without: Earlier copies, which go.

        Raises:
            CommandFailed: One of them is not there.
        """
        for path in without:
            *above, target = _steps(folder, path)
            if not any(place.is_symlink() for place in above):
                remove(target)
        for path in self.paths:
            content = _read(self.root / path)
            if _clear_the_way(folder, path, content):
                _write(folder / path, content, (self.root / path).stat().st_mode & 0o777)

    def digest(self) -> str:
        """64 hex digits over what the copies hold at the user's; "" when there are none.

        Raises:
            CommandFailed: One of them is not there.
        """
        held = [(path, hashlib.sha256(_read(self.root / path)).hexdigest()) for path in self.paths]
        return hashlib.sha256(repr(held).encode()).hexdigest() if held else ""


NO_COPIES = Copies()


def problems(copies: Copies, repository: Repository, branch: str) -> list[str]:
    """Why files cannot be copied, a sentence each.

    Args:
        branch: What new checkouts start from.
    """
    commit = repository.resolve(branch)
    tracked = repository.entries(commit) if commit else {}
    found = []
    for path in copies.paths:
        if path in tracked:
            found.append(
                f"project.copy names {path}, which {branch.removeprefix('refs/heads/')} holds already: clones have it; take it out of copy"
            )
        elif not (copies.root / path).is_file():
            found.append(
                f"project.copy names {path}, and {copies.root / path} is no file; make it, or take it out of copy"
            )
    return found


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = f"{path}, which [project] copy names, could not be read: {error.strerror}"
        raise CommandFailed(f"{reason}; put it back, or take it out of copy") from error


def _clear_the_way(folder: Path, path: str, content: bytes) -> bool:
    """Remove links and files that lie where the copy's folders and the copy belong; False when it is there as it is."""
    *above, _ = _steps(folder, path)
    for place in above:
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            remove(place)
        place.mkdir(exist_ok=True)
    target = folder / path
    if target.is_file() and not target.is_symlink() and target.read_bytes() == content:
        return False
    remove(target)
    return True


def _steps(folder: Path, path: str) -> list[Path]:
    parts = path.split("/")
    return [folder.joinpath(*parts[: n + 1]) for n in range(len(parts))]


def _write(target: Path, content: bytes, mode: int) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def is_copied(paths: Sequence[str], path: str) -> bool:
    """Whether a path is a copy, or lies where one belongs."""
    return any(path == copy or path.startswith(f"{copy}/") for copy in paths)
