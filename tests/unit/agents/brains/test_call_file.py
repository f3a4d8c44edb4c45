"""A call log in a file: what was written is found again, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.call_file import CallFile, read_records
from callboard.agents.brains.calls import CallRecord, ToolRecord, digest_of
from callboard.bus.errors import BrainError

AT = datetime(2026, 11, 21, tzinfo=UTC)


def call(digest: str) -> CallRecord:
    return CallRecord(
        digest=digest,
        model="opus",
        response={"parts": [digest]},
        input_tokens=3,
        usd=Decimal("0.1"),
        duration_s=1,
        at=AT,
    )


def tool(digest: str) -> ToolRecord:
    return ToolRecord(digest=digest, name="read", arguments={}, result="text", ok=True, duration_s=0, at=AT)


def digests(path: Path) -> list[str]:
    return [record.digest for record in read_records(path) if isinstance(record, CallRecord | ToolRecord)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "calls" / "r1" / "T-1.1.driver-1.jsonl"
    log = CallFile(path)
    for record in (call("a"), tool("b"), call("c")):
        log.append(record)
    return path


def test_what_was_recorded_comes_back_in_its_order_and_then_nothing(path: Path) -> None:
    log = CallFile(path)
    assert log.left == 3
    assert (log.next_call("a"), log.next_tool("b"), log.next_call("c")) == (call("a"), tool("b"), call("c"))
    assert log.next_call("d") is None
    log.append(call("d"))
    assert digests(path) == ["a", "b", "c", "d"]


def test_a_torn_end_is_cut_and_written_over(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    log = CallFile(path)
    assert (log.next_call("a"), log.next_tool("b"), log.next_call("c")) == (call("a"), tool("b"), None)
    log.append(call("c"))
    assert path.read_bytes() == whole


@given(cut=st.integers(min_value=0))
def test_a_log_torn_anywhere_holds_its_whole_lines(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("log") / "x.jsonl"
    log = CallFile(path)
    for digest in "abc":
        log.append(call(digest))
    content = path.read_bytes()[: cut % (path.stat().st_size + 1)]
    path.write_bytes(content)
    assert CallFile(path).left == content.count(b"\n")
    assert path.read_bytes().count(b"\n") == content.count(b"\n")


def test_another_question_cuts_the_log_from_there_on_and_keeps_the_rest_aside(path: Path) -> None:
    log = CallFile(path)
    log.next_call("a")
    assert log.next_tool("other") is None
    assert log.left == 0
    log.append(tool("other"))
    assert digests(path) == ["a", "other"]
    assert digests(path.with_name("T-1.1.driver-1.cut-1.jsonl")) == ["b", "c"]


def test_a_tool_where_a_call_was_recorded_is_another_conversation(path: Path) -> None:
    assert CallFile(path).next_tool("a") is None
    assert read_records(path) == ()


def test_what_only_people_read_is_skipped_to_its_end_and_written_on(path: Path) -> None:
    log = CallFile(path)
    log.next_call("a")
    assert log.rest() == (tool("b"), call("c"))
    log.append(call("d"))
    assert digests(path) == ["a", "b", "c", "d"]


def test_nobody_else_may_read_it(path: Path) -> None:
    assert path.stat().st_mode & 0o077 == 0


def test_a_log_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(BrainError, match="cannot be read: Is a directory"):
        CallFile(tmp_path)


def test_a_digest_is_of_the_value_and_not_of_its_writing() -> None:
    assert digest_of({"a": 1, "b": ["x"]}) == digest_of({"b": ["x"], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": "1"})


def test_its_place_is_after_how_many_calls_and_tools_it_is(path: Path) -> None:
    log = CallFile(path)
    assert (log.place, log.next_call("a"), log.place) == ((0, 0), call("a"), (1, 0))
    assert (log.next_tool("b"), log.place) == (tool("b"), (1, 1))
    assert (log.next_call("other"), log.place) == (None, (1, 1))
