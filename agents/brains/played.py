"""The call log of an attempt or review that is played: replies come from a recording, tools are executed again.

What is played is written down like any other, so a crash costs nothing here either, and transcripts and costs are there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import BeginRecord, CallLog, CallRecord, Record, RoomRecord, ToolRecord
from callboard.agents.brains.recording import Called, Said, Talk
from callboard.bus.errors import BrainError, BrainParked


class PlayedLog:
    """A CallLog beside the recorded talk.

    Args:
        file: What has been played of this talk already.
        own: The same, behind what was said before it.
    """

    def __init__(self, file: CallFile, own: CallLog, talk: Talk, now: Callable[[], datetime]) -> None:
        self._file = file
        self._own = own
        self._talk = talk
        self._now = now

    @property
    def is_past(self) -> bool:
        return self._own.is_past

    def reply(self) -> Said:
        """The recorded reply that comes next.

        Raises:
            BrainParked: The recorded attempt was parked here; this one is, for a moment.
            BrainError: None is left.
        """
        calls, _ = self._file.place
        if calls < len(self._talk.replies):
            return self._talk.replies[calls]
        if self._talk.parked is not None:
            raise BrainParked("parked here, as it was when it was recorded", cause="rate_limit", until=self._now())
        raise BrainError(f"{self._talk.path}: the recorded work was broken off here, or goes another way this time")

    def next_begin(self, wanted: BeginRecord) -> BeginRecord | None:
        return self._own.next_begin(wanted)

    def next_call(self, digest: str) -> CallRecord | None:
        return self._own.next_call(digest)

    def next_tool(self, digest: str) -> ToolRecord | None:
        """What was played already; else the recorded result of a tool that cannot be executed again."""
        played = self._own.next_tool(digest)
        called = self._called()
        if played is not None or called is None or called.result is None:
            return played
        record = ToolRecord(
            digest=digest,
            name=called.tool,
            arguments=called.arguments,
            result=called.result,
            ok=bool(called.ok),
            duration_s=0,
            at=self._now(),
        )
        self._own.append(record)
        return record

    @property
    def is_live(self) -> bool:
        return False

    def next_room(self) -> RoomRecord | None:
        """None: nobody reads what is said here, so it needs no room."""
        return None

    def append(self, record: Record) -> None:
        """Write a record down.

        Raises:
            BrainError: A tool did not end as it did when it was recorded, so what was said next is no answer to it.
        """
        # before the first reply no tool was called: what is recorded there is what is offered here
        if isinstance(record, ToolRecord) and self._file.place[0]:
            self._compare(record)
        self._own.append(record)

    def _compare(self, record: ToolRecord) -> None:
        called = self._called()
        if called is None or (called.tool, called.ok) != (record.name, record.ok):
            was = f"{record.name} was not called" if called is None else f"{called.tool} {_ended(bool(called.ok))}"
            raise BrainError(
                f"{self._talk.path}: {was} here when this was recorded; now {record.name} {_ended(record.ok)}: "
                f"{record.result[:300]}"
            )

    def _called(self) -> Called | None:
        """The recorded call that the next tool result belongs to."""
        calls, tools = self._file.place
        executed = [called for called in self._talk.replies[calls - 1].calls if called.ok is not None] if calls else []
        return executed[tools] if tools < len(executed) else None


def _ended(ok: bool) -> str:
    return "did what was asked of it" if ok else "failed"
