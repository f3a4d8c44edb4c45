"""A call log that is played back: what is recorded is all there is, and nothing is asked."""

from __future__ import annotations

from pathlib import Path

from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import BeginRecord, CallRecord, ParkRecord, Record, RoomRecord, ToolRecord
from callboard.bus.clock import utc_now
from callboard.bus.errors import BrainError, BrainParked


class PlayedLog:
    """Gives records in their order, whatever is asked: commits have other ids this time, and so the questions differ.

    Raises:
        BrainError: Nothing was recorded under this name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._has_begun = False
        try:
            self._left = list(read_records(path))
        except OSError as error:
            raise BrainError(f"nothing was recorded as {path.name}, so it cannot be played back") from error

    @property
    def is_past(self) -> bool:
        return False

    def next_begin(self, wanted: BeginRecord) -> BeginRecord | None:
        """`wanted`, where a conversation begins; logs that were recorded without one can be played too."""
        if self._has_begun:
            return None
        self._has_begun = True
        return wanted

    def next_call(self, digest: str) -> CallRecord:
        """The next call.

        Raises:
            BrainParked: The recorded attempt was parked here; this one is, for a moment.
            BrainError: None is left.
        """
        while self._left:
            record = self._left.pop(0)
            if isinstance(record, CallRecord):
                return record
            if isinstance(record, ParkRecord) and not self._left:
                raise BrainParked(f"parked, as it was: {record.detail}", cause="rate_limit", until=utc_now())
        raise BrainError(f"{self._path.name} ends here: the recorded work was broken off, or went another way")

    def next_tool(self, digest: str) -> ToolRecord | None:
        if self._left and isinstance(self._left[0], ToolRecord):
            record = self._left.pop(0)
            assert isinstance(record, ToolRecord)
            return record
        return None

    @property
    def is_live(self) -> bool:
        return False

    def next_room(self) -> RoomRecord | None:
        """None: nobody reads what is said here, so it needs no room."""
        return None

    def append(self, record: Record) -> None:
        """Nothing is written: a recording stays as it is."""
