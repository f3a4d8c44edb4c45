"""A call log that is played back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import CallRecord, ToolRecord
from callboard.agents.brains.played import PlayedLog
from callboard.bus.errors import BrainError

AT = datetime(2026, 11, 21, tzinfo=UTC)
CALLS = [CallRecord(digest=d, model="m", response={}, duration_s=0, at=AT) for d in "ab"]
TOOL = ToolRecord(digest="t", name="run", arguments={}, result="ok", ok=True, duration_s=0, at=AT)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "T-1.1.driver-1.jsonl"
    log = CallFile(path)
    for record in (CALLS[0], TOOL, CALLS[1]):
        log.append(record)
    return path


def test_records_come_in_their_order_whatever_is_asked_and_it_stays_as_it_is(path: Path) -> None:
    before = path.read_bytes()
    log = PlayedLog(path)
    assert (log.next_call("x"), log.next_tool("y"), log.next_tool("z")) == (CALLS[0], TOOL, None)
    log.append(TOOL)
    assert log.next_call("x") == CALLS[1]
    assert path.read_bytes() == before


def test_where_the_recording_ends_nothing_is_asked_of_a_model(path: Path) -> None:
    log = PlayedLog(path)
    log.next_call("x")
    log.next_call("x")
    with pytest.raises(BrainError, match=r"T-1\.1\.driver-1\.jsonl ends here"):
        log.next_call("x")


def test_what_was_not_recorded_cannot_be_played(tmp_path: Path) -> None:
    with pytest.raises(BrainError, match="nothing was recorded as x"):
        PlayedLog(tmp_path / "x.jsonl")
