"""A call log that is played back: what is recorded is all there is, and nothing is asked."""

from __future__ import annotations

from pathlib import Path

from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import CallRecord, ToolRecord
from callboard.bus.errors import BrainError


class PlayedLog:
    """Gives records in their order, whatever is asked: commits have other ids this time, and so the questions differ.

    Raises:
        BrainError: Nothing was recorded under this name.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._left = list(read_records(path))
        except OSError as error:
            raise BrainError(f"nothing was recorded as {path.name}, so it cannot be played back") from error

    def next_call(self, digest: str) -> CallRecord:
        """The next call.

        Raises:
            BrainError: None is left.
        """
        while self._left:
            record = self._left.pop(0)
            if isinstance(record, CallRecord):
                return record
        raise BrainError(f"{self._path.name} ends here: the recorded work was broken off, or went another way")

    def next_tool(self, digest: str) -> ToolRecord | None:
        if self._left and isinstance(self._left[0], ToolRecord):
            record = self._left.pop(0)
            assert isinstance(record, ToolRecord)
            return record
        return None

    def append(self, record: CallRecord | ToolRecord) -> None:
        """Nothing is written: a recording stays as it is."""
