"""The log of an attempt that is played: what comes next, and where it no longer fits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from callboard.agents.brains.call_file import CallFile, read_records
from callboard.agents.brains.calls import About, CallRecord, ToolRecord
from callboard.agents.brains.played import PlayedLog
from callboard.agents.brains.recording import Called, Parked, Said, Talk
from callboard.bus.errors import BrainError, BrainParked

AT = datetime(2026, 11, 21, tzinfo=UTC)
ABOUT = About(key="driver-1/health", agent="driver-1", attempt=1, asked="a1")
FIRST = Said(
    model="m", calls=(Called(tool="edit", ok=True), Called(tool="db__ask", ok=True, result="7"), Called(tool="done"))
)
SECOND = Said(model="m", calls=(Called(tool="done"),))
CALL = CallRecord(digest="c", model="m", response={}, duration_s=0, at=AT)


def tool(name: str, *, ok: bool = True) -> ToolRecord:
    return ToolRecord(digest="t", name=name, arguments={}, result="said", ok=ok, duration_s=0, at=AT)


def played(folder: Path, parked: Parked | None = None) -> PlayedLog:
    talk = Talk(folder / "health.1.jsonl", ABOUT, (FIRST, SECOND), parked)
    file = CallFile(folder / "T-1.1.driver-1.jsonl")
    return PlayedLog(file, file, talk, lambda: AT)


def test_replies_come_in_their_order_and_then_it_is_broken_off(tmp_path: Path) -> None:
    log = played(tmp_path)
    assert (log.next_call("c"), log.reply()) == (None, FIRST)
    log.append(CALL)
    log.append(tool("edit"))
    assert log.reply() == SECOND
    log.append(CALL)
    with pytest.raises(BrainError, match=r"health\.1\.jsonl: the recorded work was broken off here"):
        log.reply()


def test_where_it_was_parked_it_is_parked_for_a_moment(tmp_path: Path) -> None:
    log = played(tmp_path, Parked(parked="budget"))
    for record in (CALL, CALL):
        log.append(record)
    with pytest.raises(BrainParked) as parked:
        log.reply()
    assert (parked.value.cause, parked.value.until) == ("rate_limit", AT)


def test_after_a_crash_it_goes_on_behind_what_was_played(tmp_path: Path) -> None:
    log = played(tmp_path)
    log.append(CALL)
    log.append(tool("edit"))
    again = played(tmp_path)
    assert again.reply() == FIRST
    assert (again.next_call("c"), again.next_tool("t")) == (CALL, tool("edit"))
    assert again.reply() == SECOND


def test_a_tool_of_another_server_gives_what_it_gave_then_and_ours_are_executed(tmp_path: Path) -> None:
    log = played(tmp_path)
    log.append(CALL)
    assert log.next_tool("edit's") is None
    log.append(tool("edit"))
    asked = log.next_tool("ask's")
    assert asked == ToolRecord(digest="ask's", name="db__ask", arguments={}, result="7", ok=True, duration_s=0, at=AT)
    assert read_records(tmp_path / "T-1.1.driver-1.jsonl")[-1] == asked


@pytest.mark.parametrize(
    ("record", "wrong"),
    [
        (tool("edit", ok=False), "edit did what was asked of it here when this was recorded; now edit failed: said"),
        (tool("write"), "edit did what was asked of it here when this was recorded; now write did"),
    ],
)
def test_where_a_tool_ends_otherwise_the_next_reply_is_no_answer_to_it(
    tmp_path: Path, record: ToolRecord, wrong: str
) -> None:
    log = played(tmp_path)
    log.append(CALL)
    with pytest.raises(BrainError, match=wrong):
        log.append(record)


def test_what_servers_offer_here_is_written_down_before_the_first_reply(tmp_path: Path) -> None:
    log = played(tmp_path)
    assert log.next_tool("offer") is None
    log.append(tool("tools/list"))
    assert log.reply() == FIRST
    log.append(CALL)
    log.append(tool("edit"))


def test_a_tool_that_ended_the_work_then_and_does_not_now_is_another_way(tmp_path: Path) -> None:
    log = played(tmp_path)
    for record in (CALL, tool("edit"), tool("db__ask")):
        log.append(record)
    with pytest.raises(BrainError, match="was not called here when this was recorded; now done failed"):
        log.append(tool("done", ok=False))
