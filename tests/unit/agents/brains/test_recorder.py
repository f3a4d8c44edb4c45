"""From a call log to a recording: what was said stays, what another machine has anew does not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import JsonValue

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import About, BeginRecord, CallRecord, ParkRecord, ToolRecord
from callboard.agents.brains.recorder import talk_in
from callboard.agents.brains.recording import Called, Parked, Said
from callboard.bus.errors import BrainError
from callboard.bus.known_secrets import KnownSecret
from callboard.bus.redaction import Redactor

AT = datetime(2026, 11, 21, tzinfo=UTC)
ABOUT = About(key="driver-1/health", agent="driver-1", attempt=1, asked="a1")


def reply(*parts: JsonValue, **more: JsonValue) -> CallRecord:
    response: JsonValue = {"parts": [*parts], "timestamp": "2026-11-21", "provider_response_id": "r-77", **more}
    return CallRecord(
        digest="d", model="opus", response=response, input_tokens=5, usd=Decimal("0.5"), duration_s=2, at=AT
    )


def calls(name: str, args: JsonValue) -> JsonValue:
    return {"part_kind": "tool-call", "tool_name": name, "args": args, "tool_call_id": "call_77"}


def ran(name: str, result: str = "", *, ok: bool = True) -> ToolRecord:
    return ToolRecord(digest="d", name=name, arguments={}, result=result, ok=ok, duration_s=1, at=AT)


@pytest.fixture
def log(tmp_path: Path) -> CallFile:
    log = CallFile(tmp_path / "T-7.1.driver-1.jsonl")
    log.append(BeginRecord(instructions="", prompt="", about=ABOUT, at=AT))
    return log


def same(value: JsonValue) -> JsonValue:
    return value


def test_a_log_becomes_its_replies_with_what_became_of_each_call(tmp_path: Path, log: CallFile) -> None:
    for record in (
        reply(
            {"part_kind": "thinking", "content": "hm"}, {"part_kind": "text", "content": "Looking"}, calls("read", "{}")
        ),
        ran("read", "a file of /home/somebody"),
        reply(calls("edit", '{"path": "a.py"}'), calls("db__ask", {"q": 1}), calls("done", "not json")),
        ran("edit", "0 times", ok=False),
        ran("db__ask", "rows: 7"),
        reply(calls("done", {"notes": "n"}), finish_reason="length"),
    ):
        log.append(record)
    talk = talk_in(tmp_path / "T-7.1.driver-1.jsonl", same)
    assert talk is not None
    assert talk.about == ABOUT
    assert [said.calls for said in talk.replies] == [
        (Called(tool="read", arguments={}, ok=True),),
        (
            Called(tool="edit", arguments={"path": "a.py"}, ok=False),
            Called(tool="db__ask", arguments={"q": 1}, ok=True, result="rows: 7"),
            Called(tool="done", arguments="not json"),
        ),
        (Called(tool="done", arguments={"notes": "n"}),),
    ]
    assert talk.replies[0] == Said(
        model="opus", says="Looking", calls=talk.replies[0].calls, input_tokens=5, usd=Decimal("0.5")
    )
    assert talk.replies[-1].finish == "length"
    text = "".join(said.model_dump_json() for said in talk.replies)
    assert not [word for word in ("2026", "77", "/home", "hm") if word in text]


def test_where_it_was_parked_the_recording_says_so_and_a_call_is_not_needed_for_that(
    tmp_path: Path, log: CallFile
) -> None:
    log.append(ParkRecord(cause="rate_limit", detail="429 until 2026", at=AT))
    talk = talk_in(tmp_path / "T-7.1.driver-1.jsonl", same)
    assert talk is not None
    assert (talk.replies, talk.parked) == ((), Parked(parked="rate_limit"))


def test_secrets_are_taken_out_of_all_that_was_said(tmp_path: Path, log: CallFile) -> None:
    secret = "correct-horse-battery-staple"
    log.append(reply({"part_kind": "text", "content": f"It is {secret}"}, calls("write", {"text": secret})))
    redact = Redactor([KnownSecret("key", secret)]).value
    talk = talk_in(tmp_path / "T-7.1.driver-1.jsonl", redact)
    assert talk is not None
    assert secret not in talk.replies[0].model_dump_json()
    assert "[redacted:key]" in talk.replies[0].says


def test_a_log_that_does_not_say_what_it_is_about_cannot_be_recorded(tmp_path: Path) -> None:
    path = tmp_path / "old.jsonl"
    assert talk_in_new(path) is None
    CallFile(path).append(reply())
    with pytest.raises(BrainError, match=r"old\.jsonl: does not say which task it is about"):
        talk_in(path, same)


def talk_in_new(path: Path) -> object:
    path.touch()
    return talk_in(path, same)


def test_a_log_of_another_brain_cannot_be_recorded(tmp_path: Path, log: CallFile) -> None:
    log.append(CallRecord(digest="d", model="claude", response={"events": []}, duration_s=1, at=AT))
    with pytest.raises(BrainError, match="a reply of claude is none of a model with tools of ours"):
        talk_in(tmp_path / "T-7.1.driver-1.jsonl", same)
