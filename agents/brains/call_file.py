"""A call log in a file: one JSON object a line, on disk before it is used, its torn end cut."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from loguru import logger
from pydantic import ValidationError

from callboard.agents.brains.calls import (
    RECORD,
    BeginRecord,
    CallRecord,
    EventRecord,
    ParkRecord,
    Record,
    RoomRecord,
    ToolRecord,
)
from callboard.bus.errors import BrainError

AnyRecord = TypeVar("AnyRecord", BeginRecord, CallRecord, ToolRecord)


class CallFile:
    """`.callboard/calls/<run>/<task>.<attempt>.<agent>[.<review>].jsonl`; one process at a time works on it.

    Raises:
        BrainError: The file is there and cannot be read, or cut.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._records, self._ends = _open(path)
        self._next = 0
        self._has_begun = False

    @property
    def left(self) -> int:
        """How many recorded calls and tools have not been used yet."""
        return len(self._records) - self._next

    @property
    def place(self) -> tuple[int, int]:
        """How many calls come before the next record, and how many tools after the last of them."""
        used = self._records[: self._next]
        calls = [n for n, record in enumerate(used) if isinstance(record, CallRecord)]
        after = used[calls[-1] :] if calls else []
        return len(calls), sum(isinstance(record, ToolRecord) for record in after)

    @property
    def is_past(self) -> bool:
        return False

    def next_begin(self, wanted: BeginRecord) -> BeginRecord | None:
        if self._has_begun:
            return None
        self._has_begun = True
        found = self._take(BeginRecord, wanted.digest)
        if found is None:
            self.append(wanted)
        return found or wanted

    def next_call(self, digest: str) -> CallRecord | None:
        return self._take(CallRecord, digest)

    def next_tool(self, digest: str) -> ToolRecord | None:
        return self._take(ToolRecord, digest)

    def rest(self) -> tuple[Record, ...]:
        """What is recorded from here on; what is appended next comes after it."""
        begin, self._next = self._next, len(self._records)
        return tuple(self._records[begin:])

    @property
    def is_live(self) -> bool:
        self._skip()
        return not self.left

    def next_room(self) -> RoomRecord | None:
        self._skip()
        record = self._records[self._next] if self.left else None
        self._next += isinstance(record, RoomRecord)
        return record if isinstance(record, RoomRecord) else None

    def append(self, record: Record) -> None:
        assert not self.left, "a log is written at its end only"
        line = record.model_dump_json().encode() + b"\n"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _write(self._path, line, os.O_APPEND)
        except OSError as error:
            raise BrainError(f"{self._path}: the call log cannot be written: {error.strerror}") from error
        self._records.append(record)
        self._ends.append((self._ends[-1] if self._ends else 0) + len(line))
        self._next = len(self._records)

    def _take(self, kind: type[AnyRecord], digest: str) -> AnyRecord | None:
        self._skip()
        if not self.left:
            return None
        record = self._records[self._next]
        if isinstance(record, kind) and record.digest == digest:
            self._next += 1
            return record
        self._cut()
        return None

    def _skip(self) -> None:
        """Pass over what no conversation asks for."""
        while self.left and isinstance(self._records[self._next], ParkRecord | EventRecord):
            self._next += 1

    def _cut(self) -> None:
        """Move what is left aside: it answers other questions than the ones asked now."""
        keep = self._ends[self._next - 1] if self._next else 0
        try:
            aside = _move_aside(self._path, keep)
        except OSError as error:
            raise BrainError(f"{self._path}: the call log cannot be cut: {error.strerror}") from error
        logger.warning(
            "what is asked now is not what was recorded; the recorded rest is moved aside",
            log=str(self._path),
            kept=self._next,
            moved=self.left,
            aside=str(aside),
        )
        del self._records[self._next :], self._ends[self._next :]


def read_records(path: Path) -> tuple[Record, ...]:
    """What a log holds, as far as it can be read; it may be written meanwhile."""
    return tuple(_parse(path.read_bytes())[0])


def tools_called(path: Path) -> frozenset[str] | None:
    """Names of the tools that an attempt called with success, also before it was parked; None: nothing was recorded of it."""
    try:
        records = read_records(path)
    except OSError:
        return None
    resumes = next((record.resumes for record in records if isinstance(record, BeginRecord)), "")
    earlier = tools_called(path.with_name(Path(resumes).name)) if resumes and resumes != path.name else None
    called = {record.name for record in records if isinstance(record, ToolRecord) and record.ok}
    return (earlier or frozenset()) | called


def _open(path: Path) -> tuple[list[Record], list[int]]:
    try:
        content = path.read_bytes()
        records, ends = _parse(content)
        whole = ends[-1] if ends else 0
        if whole < len(content):
            logger.warning("the end of a call log is torn; cut", log=str(path), bytes=len(content) - whole)
            _truncate(path, whole)
    except FileNotFoundError:
        return [], []
    except OSError as error:
        raise BrainError(f"{path}: the call log cannot be read: {error.strerror}") from error
    return records, ends


def _parse(content: bytes) -> tuple[list[Record], list[int]]:
    """The records up to the first that is not whole, and where each one ends."""
    records: list[Record] = []
    ends: list[int] = []
    begin = 0
    while (end := content.find(b"\n", begin) + 1) > 0:
        try:
            records.append(RECORD.validate_json(content[begin:end]))
        except ValidationError:
            break
        ends.append(end)
        begin = end
    return records, ends


def _move_aside(path: Path, keep: int) -> Path:
    """The rest is on disk under its new name before it is gone from here."""
    aside = next(
        name for n in range(1, 1_000_000) if not (name := path.with_name(f"{path.stem}.cut-{n}.jsonl")).exists()
    )
    _write(aside, path.read_bytes()[keep:], os.O_EXCL)
    _truncate(path, keep)
    return aside


def _write(path: Path, content: bytes, flags: int) -> None:
    is_new = not path.exists()
    # what a model saw and said is nobody else's business
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)


def _truncate(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.truncate(length)
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
