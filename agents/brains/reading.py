"""What a brain in this process may look at: its clone, also not through a link out of it, and never more than fits."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from callboard.agents.brains.tools import resolve_inside
from callboard.bus.errors import BrainError

MAX_ENTRIES = 400
"""Of one listing; a person would not read more either."""
MAX_VISITED = 50_000
"""Files and folders that one listing looks at."""
MAX_LINES = 1_500
MAX_LINE = 1_000
"""Characters of one line that are shown; generated files have longer ones."""
MAX_OUTPUT = 40_000
"""Characters of one tool's output: about 10,000 tokens."""
MAX_FILE_BYTES = 20_000_000
MAX_MATCHES_PER_FILE = 50
HIDDEN = frozenset({".git"})


def list_files(root: Path, path: str = ".", pattern: str = "*") -> str:
    """Paths below a folder, one a line, folders with a `/` at their end; links are named, never followed.

    Args:
        pattern: Of the path from `root`, or of its last part; `*` stands for any text.

    Raises:
        BrainError: The folder is not inside `root`, or is none.
    """
    folder = _folder(root, path)
    base = Path(os.path.realpath(root))
    found: list[str] = []
    for visited, entry in enumerate(_walk(folder)):
        name = os.path.relpath(entry.path, base)
        if fnmatchcase(name, pattern) or fnmatchcase(entry.name, pattern):
            found.append(name + ("/" if entry.is_dir(follow_symlinks=False) else "@" if entry.is_symlink() else ""))
        if len(found) > MAX_ENTRIES or visited > MAX_VISITED:
            found = [*found[:MAX_ENTRIES], "[cut: there is more; list a folder below, or give a narrower pattern]"]
            break
    return "\n".join(found) or "[nothing there]"


def read_file(root: Path, path: str, first: int = 1, lines: int = MAX_LINES) -> str:
    """Lines of a text file, each with its number and a tab before it.

    Args:
        first: 1-based.

    Raises:
        BrainError: The path is not inside `root`, or is no text file, or has no such line.
    """
    content = _content(resolve_inside(root, path), path)
    if b"\0" in content[:8_192]:
        raise BrainError(f"{path!r} is no text file; it has {len(content)} bytes")
    all_lines = content.decode("utf-8", "replace").split("\n")
    if all_lines and not all_lines[-1]:
        all_lines.pop()
    if not all_lines:
        return "[the file is empty]"
    if not 1 <= first <= len(all_lines):
        raise BrainError(f"{path!r} has {len(all_lines)} lines; none is number {first}")
    shown = all_lines[first - 1 : first - 1 + max(1, min(lines, MAX_LINES))]
    return _numbered(shown, first, len(all_lines))


def search_argv(root: Path, path: str, pattern: str) -> list[str]:
    """The command that finds a regular expression in the text files below a path: a program with a time limit, for a
    hostile expression can take for ever.

    Raises:
        BrainError: The path is not inside `root`.
    """
    base = Path(os.path.realpath(root))
    target = "." if path in ("", ".", "./") else str(resolve_inside(root, path).relative_to(base))
    options = ["-rnIE", "-D", "skip", f"--max-count={MAX_MATCHES_PER_FILE}", "--exclude-dir=.git"]
    return ["grep", *options, "-e", pattern, "--", target]


def cut_output(text: str, limit: int = MAX_OUTPUT) -> str:
    """Head and tail of a long output, and of its long lines the beginning; what is left out is counted."""
    half = limit // 2
    left = len(text) - 2 * half
    if left > 0:
        text = f"{text[:half]}\n[cut: {left} characters]\n{text[-half:]}"
    return "\n".join(map(_cut_line, text.split("\n")))


def _cut_line(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} [cut: {len(line) - MAX_LINE} more]"


def _numbered(shown: list[str], first: int, total: int) -> str:
    said: list[str] = []
    size = 0
    for number, line in enumerate(shown, start=first):
        text = f"{number}\t{_cut_line(line)}"
        size += len(text) + 1
        if said and size > MAX_OUTPUT:
            break
        said.append(text)
    last = first + len(said) - 1
    if last < total:
        said.append(f"[lines {first} to {last} of {total}; read on with first={last + 1}]")
    return "\n".join(said)


def _folder(root: Path, path: str) -> Path:
    folder = Path(os.path.realpath(root)) if path in ("", ".", "./") else resolve_inside(root, path)
    if not folder.is_dir():
        raise BrainError(f"{path!r} is no folder of the clone")
    return folder


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Everything below, a folder before what is in it."""
    left = _entries(folder)
    while left:
        entry = left.pop()
        yield entry
        if entry.is_dir(follow_symlinks=False):
            left += _entries(Path(entry.path))


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The last name first; a folder that cannot be read is empty."""
    try:
        found = [entry for entry in os.scandir(folder) if entry.name.casefold() not in HIDDEN]
    except OSError:
        return []
    return sorted(found, key=lambda entry: entry.name, reverse=True)


def _content(target: Path, path: str) -> bytes:
    try:
        # not blocking: what looks like a file may be a pipe that nobody writes to
        handle = os.open(target, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise BrainError(f"{path!r} is no file; list shows what is there")
            if status.st_size > MAX_FILE_BYTES:
                raise BrainError(f"{path!r} has {status.st_size} bytes; {MAX_FILE_BYTES} is the most that is read")
            return file.read(MAX_FILE_BYTES)
    except OSError as error:
        raise BrainError(f"{path!r} cannot be read: {error.strerror}") from error
