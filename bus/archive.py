"""The archive of a run's journal: what the bus asks of one, and one in a file.

A file has one line per journal entry, with a hash over the line before and this one:

    {"seq":7,"at":1763712847123,"hash":"5f2c...","entry":{"step":"commit",...}}

So a line that was changed, removed or put in between is found (`ArchiveBroken` names it), and what a crash left of a last
line is cut off before the next one is written.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

from callboard.bus.errors import ArchiveBroken, BusError

FILE = "journal.jsonl"
FIRST_HASH = "0" * 64
"""What the first line's hash goes on from."""
NEAR_BYTES = 64 * 1024
"""Below this a search by number reads on instead of halving."""
SNAPSHOT = '{"step":"snapshot"'
"""How the entry of a row begins that holds the whole state: numbers may be missing before it (bus/archiver.py)."""
_LINE = re.compile(rb'\{"seq":([0-9]{1,18}),"at":([0-9]{1,18}),"hash":"([0-9a-f]{64})","entry":(\{.*\})\}\n', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Row:
    """One journal entry as it is kept."""

    seq: int
    at: int
    """The server's time, ms."""
    entry: str
    """Its JSON, byte for byte as the journal's stream had it (bus/journal.py)."""

    @property
    def is_snapshot(self) -> bool:
        return self.entry.startswith(SNAPSHOT)


class Archive(Protocol):
    """Keeps the entries that a run's journal had, for as long as anybody may ask for them."""

    def last(self) -> Row | None:
        """The newest row; None when there is none yet."""
        ...

    def rows(self, after: int = 0) -> Iterator[Row]:
        """Rows with a higher number, in order, as far as they are there now.

        Raises:
            ArchiveBroken: One is not what was archived.
        """
        ...

    def append(self, rows: Sequence[Row]) -> None:
        """Keep more rows. When it returns they survive a crash of the machine; those it has already are passed over.

        Raises:
            ArchiveBroken: What it has cannot be continued.
            BusError: They do not follow its last row, or there is no space.
        """
        ...


def in_batches(rows: Iterable[Row], size: int) -> Iterator[tuple[Row, ...]]:
    """The rows, so many at a time: each append costs an fsync."""
    left = iter(rows)
    while batch := tuple(islice(left, size)):
        yield batch


def next_hash(before: str, row: Row) -> str:
    return hashlib.sha256(f"{before} {row.seq} {row.at} {row.entry}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Line:
    row: Row
    hash: str


class FileArchive:
    """An archive in `<folder>/journal.jsonl`. Many may read; one process at a time may append."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self._end: tuple[int, str] | None = None
        """Number and hash of the last line; None before the first append."""

    def last(self) -> Row | None:
        end = self._tail(2)
        return end[-1].row if end else None

    def head(self) -> str:
        """The last line's hash: it stands for everything before it."""
        end = self._tail(2)
        return end[-1].hash if end else FIRST_HASH

    def rows(self, after: int = 0) -> Iterator[Row]:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            start = self._place_of(file.fileno(), after)
            file.seek(start)
            before = _Line(Row(0, 0, ""), FIRST_HASH) if start == 0 else None
            place = start
            # a line without its end is being written just now, or was torn
            while (raw := file.readline()).endswith(b"\n"):
                line = self._checked(raw, before, place)
                if line.row.seq > after:
                    yield line.row
                before = line
                place += len(raw)

    def append(self, rows: Sequence[Row]) -> None:
        # after a write that failed the end is looked for again: it may have left a torn line
        (seq, before), self._end = self._end or self._mended(), None
        lines = []
        for row in rows:
            if row.seq <= seq:
                continue
            if row.seq != seq + 1 and not row.is_snapshot:
                raise BusError(f"{self.path} ends with entry {seq}, so entry {row.seq} cannot follow")
            seq, before = row.seq, next_hash(before, row)
            lines.append(_encoded(row, before))
        if lines:
            self._write(b"".join(lines))
        self._end = seq, before

    def _write(self, data: bytes) -> None:
        size = self.path.stat().st_size if self.path.exists() else -1
        try:
            target = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                written = 0
                while written < len(data):
                    written += os.write(target, data[written:])
                os.fsync(target)
            except OSError:
                os.ftruncate(target, max(0, size))
                raise
            finally:
                os.close(target)
            if size < 0:
                _sync(self.path.parent)
        except OSError as error:
            raise BusError(f"could not write {self.path}: {error.strerror}; the archive is as it was") from error

    def _mended(self) -> tuple[int, str]:
        """The end to go on from, once what a crash left of a last line is gone."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.exists():
            with self.path.open("r+b") as file:
                size = os.fstat(file.fileno()).st_size
                whole = _last_end(file.fileno(), size, 1)
                if whole < size:
                    file.truncate(whole)
                    os.fsync(file.fileno())
        end = self._tail(2)
        return (end[-1].row.seq, end[-1].hash) if end else (0, FIRST_HASH)

    def _tail(self, count: int) -> list[_Line]:
        """The last whole lines, each checked against the one before it."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return []
        with file:
            size = os.fstat(file.fileno()).st_size
            place = _last_end(file.fileno(), size, count + 1)
            file.seek(place)
            before = _Line(Row(0, 0, ""), FIRST_HASH) if place == 0 else None
            lines = list[_Line]()
            for raw in file:
                if not raw.endswith(b"\n"):
                    break
                before = self._checked(raw, before, place)
                lines.append(before)
                place += len(raw)
            return lines

    def _checked(self, raw: bytes, before: _Line | None, place: int) -> _Line:
        """Read a line; without the one before it, its hash is taken as it is."""
        found = _LINE.fullmatch(raw)
        if found is None:
            raise self._broken(place, "it is no line of an archive")
        try:
            row = Row(int(found[1]), int(found[2]), found[4].decode())
        except UnicodeDecodeError:
            raise self._broken(place, "it is no text") from None
        if before is None:
            return _Line(row, found[3].decode())
        if row.seq != before.row.seq + 1 and not (row.is_snapshot and row.seq > before.row.seq):
            raise self._broken(place, f"entry {row.seq} stands after entry {before.row.seq}")
        hash = next_hash(before.hash, row)
        if hash != found[3].decode():
            raise self._broken(place, "its hash does not follow from the line before, so one of them was changed")
        return _Line(row, hash)

    def _broken(self, place: int, why: str) -> ArchiveBroken:
        with self.path.open("rb") as file:
            number = file.read(place).count(b"\n") + 1
        return ArchiveBroken(why, path=str(self.path), line=number)

    def _place_of(self, file: int, after: int) -> int:
        """Where a line begins that is not behind the first one with a higher number."""
        low, high = 0, os.fstat(file).st_size if after > 0 else 0
        while high - low > NEAR_BYTES:
            middle = (low + high) // 2
            start, seq = _first_line(file, middle, high)
            if seq is not None and seq <= after:
                low = start
            else:
                high = middle
        return low


def _encoded(row: Row, hash: str) -> bytes:
    if "\n" in row.entry or not row.entry.startswith("{"):
        # not written by a script of ours, but to be kept all the same
        raise BusError(f"entry {row.seq} is no journal entry: {row.entry[:100]!r}")
    return f'{{"seq":{row.seq},"at":{row.at},"hash":"{hash}","entry":{row.entry}}}\n'.encode()


def _first_line(file: int, place: int, limit: int) -> tuple[int, int | None]:
    """The first line that begins after `place`: where, and its number; None when none begins before `limit`."""
    read = b""
    while (end := read.find(b"\n")) < 0 or len(read) < end + 40:
        more = os.pread(file, NEAR_BYTES, place + len(read))
        if not more or (end >= 0 and place + end + 1 >= limit):
            break
        read += more
    found = re.match(rb'\{"seq":([0-9]+),', read[end + 1 :]) if end >= 0 else None
    return place + end + 1, int(found[1]) if found else None


def _last_end(file: int, size: int, count: int) -> int:
    """Where the lines before the last `count` line ends end; 0 when there are fewer. For 1: the end of the last whole line."""
    place, read = size, b""
    while place > 0 and read.count(b"\n") < count:
        step = min(NEAR_BYTES, place)
        place -= step
        read = os.pread(file, step, place) + read
    at = len(read)
    for _ in range(count):
        at = read.rfind(b"\n", 0, at)
        if at < 0:
            return 0
    return place + at + 1


def _sync(folder: Path) -> None:
    target = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(target)
    finally:
        os.close(target)
