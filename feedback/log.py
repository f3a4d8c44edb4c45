"""One agent's feedback log: append, read back, follow, search, rotate by size, mend after a crash.

`<folder>/<agent>.md` is the log; when it has grown past its size it moves to `<folder>/archive/<agent>.<n>.md`, n rising
from 1. Only the scribe appends; everybody may read meanwhile, and sees whole entries only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

from callboard.bus.errors import WorkspaceError
from callboard.feedback.entry import END, HEADING, Entry, EntryId

ROTATE_BYTES = 256 * 1024
"""About 700 entries: still quick to read for a person, and every commit of a log stores the whole file once."""

_AGENT = re.compile(r"(?!readme$)[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.IGNORECASE)
_START = re.compile(rb"^" + HEADING.encode() + rb"$", re.MULTILINE)
_TORN_START = "## 0000-00-00 00:00:00Z · ".encode()
_END = END.encode()


def is_log_name(agent: str) -> bool:
    """Whether an agent of this name can have a log: the name is a file's and a branch's, and none of ours."""
    return _AGENT.fullmatch(agent) is not None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a log was read."""

    archived: int = 0
    """The highest archive file that was read to its end; 0 = none."""
    offset: int = 0
    """Bytes read of the file after it."""


class FeedbackLog:
    """One agent's log in a folder. Reading needs nothing but the files."""

    def __init__(self, folder: Path, agent: str, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        """Args:
            rotate_bytes: The size from which the next append starts a new file.

        Raises:
            WorkspaceError: No log can have this agent's name.
        """
        if not is_log_name(agent):
            raise WorkspaceError(
                f"{agent!r} cannot have a feedback log; use letters, digits, `-` and `_`, not `readme`"
            )
        self.agent = agent
        self.path = folder / f"{agent}.md"
        self._archive = folder / "archive"
        self._rotate_bytes = rotate_bytes

    def archived(self) -> list[tuple[int, Path]]:
        """The archive files with their numbers, oldest first."""
        pattern = re.compile(re.escape(self.agent) + r"\.([0-9]+)\.md")
        paths = self._archive.iterdir() if self._archive.is_dir() else ()
        return sorted((int(match[1]), path) for path in paths if (match := pattern.fullmatch(path.name)))

    # --- reading -------------------------------------------------------------------------------

    def entries(self) -> Iterator[Entry]:
        """Every whole entry, oldest first, the archive's too."""
        position, more = Position(), True
        while more:
            batch, position, more = self.read(position)
            yield from batch

    def follow(self, wait: Callable[[], None]) -> Iterator[Entry]:
        """Every entry, and then every new one, for ever; `wait` is called whenever there is nothing new."""
        position = Position()
        while True:
            batch, position, more = self.read(position)
            yield from batch
            if not more:
                wait()

    def read(self, since: Position) -> tuple[list[Entry], Position, bool]:
        """The whole entries after a position, up to the end of that file; the new position; whether a file follows."""
        raw = _bytes_from(self.path, since.offset)
        # Looked up after the read: had the log been rotated before it, the archive now has the file that was meant.
        later = next(((n, path) for n, path in self.archived() if n > since.archived), None)
        if later is not None:
            entries, _ = read_entries(_bytes_from(later[1], since.offset))
            return entries, Position(later[0]), True
        entries, end = read_entries(raw)
        return entries, Position(since.archived, since.offset + end), False

    def last_id(self, run: str) -> EntryId | None:
        """The id of a run's last whole entry; None when it has none."""
        for path in (self.path, *(path for _, path in reversed(self.archived()))):
            raw = _bytes_from(path)
            heads = _START.finditer(raw, 0, raw.rfind(_END) + 1)
            ids = [EntryId(run, int(head[5]), int(head[6])) for head in heads if head[4] == run.encode()]
            if ids:
                return max(ids)
        return None

    # --- writing, for the scribe alone ------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries at the end, in one write; moves a full log to the archive first.

        Not synced to disk: a crash of the machine may take the end away, which `mend` and the journal restore.

        Raises:
            WorkspaceError: It could not be written, such as on a full disk; the log is as it was before.
        """
        with _told_about(self.path):
            size = self.path.stat().st_size if self.path.exists() else 0
            if size >= self._rotate_bytes:
                self._rotate()
                size = 0
            head = "" if size else self._header()
            self._write(size, (head + "".join(entry.render() for entry in entries)).encode())

    def mend(self, run: str) -> None:
        """Make the log end with a whole entry: a torn last entry of this run is cut, its journal has it whole.

        What somebody else left at the end (a person's note, the end of an earlier run's log) stays and is closed.

        Raises:
            WorkspaceError: It could not be written.
        """
        with _told_about(self.path):
            self._mend(run)

    def sync(self) -> None:
        """Make what was appended survive a crash of the machine.

        Raises:
            WorkspaceError: It could not be synced, such as on a full disk.
        """
        with _told_about(self.path):
            if self.path.exists():
                _sync(self.path)
                _sync(self.path.parent)

    def _mend(self, run: str) -> None:
        raw = _bytes_from(self.path)
        keep = raw.partition(b"\0")[0]  # a machine that lost power can leave zeros where the last writes went
        end = keep.rfind(_END) + len(_END) if _END in keep else 0
        tail = keep[end:]
        if self._is_torn(tail, run):
            keep = keep[:end]
        if len(keep) < len(raw):
            os.truncate(self.path, len(keep))
        if keep[end:].strip():
            self._write(len(keep), _END[len(tail) - len(tail.rstrip(b"\n")) :])

    def _is_torn(self, tail: bytes, run: str) -> bool:
        first = tail.partition(b"\n")[0]
        heading = _START.fullmatch(first)
        if heading is not None:
            return heading[4] == run.encode()
        begun = all(c == t or (t == ord("0") and chr(c).isdigit()) for c, t in zip(first, _TORN_START, strict=False))
        return (begun and first == tail) or self._header().encode().startswith(tail)

    def _header(self) -> str:
        archived = self.archived()
        earlier = f" Earlier entries: `archive/{archived[-1][1].name}`." if archived else ""
        return f"# Feedback log of {self.agent}\n\nWritten by Callboard, newest entry last.{earlier}{END}"

    def _rotate(self) -> None:
        self.sync()
        self._archive.mkdir(exist_ok=True)
        archived = self.archived()
        number = archived[-1][0] + 1 if archived else 1
        self.path.rename(self._archive / f"{self.agent}.{number}.md")
        _sync(self._archive)

    def _write(self, size: int, data: bytes) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        target = os.open(self.path, flags, 0o644)
        try:
            written = 0
            while written < len(data):
                written += os.write(target, data[written:])
        except OSError:
            os.ftruncate(target, size)
            raise
        finally:
            os.close(target)


def read_entries(raw: bytes) -> tuple[list[Entry], int]:
    """The whole entries in a piece of a log, and how many of its bytes are read with them.

    An entry ends with its two empty lines, or where the next one begins; the last one only with its empty lines.
    """
    starts = [match.start() for match in _START.finditer(raw)]
    entries: list[Entry] = []
    read = 0
    for start, limit in pairwise([*starts, len(raw)]):
        end = raw.find(_END, start, limit)
        if end < 0 and limit == len(raw):
            break
        read = end + len(_END) if end >= 0 else limit
        with suppress(ValueError):  # a heading that a person broke, such as a day that is none
            entries.append(Entry.parse(raw[start:read].decode("utf-8", "replace")))
    return entries, read


def search(entries: Iterable[Entry], text: str) -> Iterator[Entry]:
    """The entries in which every word of `text` stands somewhere, upper or lower case."""
    words = text.casefold().split()
    for entry in entries:
        said = entry.render().casefold()
        if all(word in said for word in words):
            yield entry


def logs_in(folder: Path) -> list[str]:
    """The agents that have a log in this folder, by name."""
    return sorted(path.stem for path in folder.glob("*.md") if is_log_name(path.stem))


def exclude_lines(root: Path, feedback: Path) -> tuple[str, ...]:
    """The lines for `.git/info/exclude` that keep the logs out of the product; none for a folder outside of `root`."""
    if not feedback.is_relative_to(root):
        return ()
    place = PurePosixPath("/", re.sub(r"([\\*?\[\]])", r"\\\1", feedback.relative_to(root).as_posix()))
    return (f"{place / '*.md'}", f"{place / 'archive'}/")


@contextmanager
def _told_about(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorkspaceError(f"could not write {path}: {error.strerror}; the log is as it was") from error


def _bytes_from(path: Path, offset: int = 0) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _sync(path: Path) -> None:
    target = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(target)
    finally:
        os.close(target)
