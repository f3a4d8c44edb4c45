"""The last line of a program: an answer, or plain output."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.brain import Asked, Blocked, Done, Failed, Result
from callboard.agents.brains.command import read_result
from callboard.bus.issues import Report


def line(**said: object) -> bytes:
    return b"working ...\n" + json.dumps(said).encode() + b"\n"


@pytest.mark.parametrize(
    ("said", "result"),
    [
        (line(status="done"), Done()),
        (line(status="done", notes="added it", extra=1), Done("added it")),
        (line(status="done", notes=None, blocker=None, question=None), Done()),
        (line(status="failed", notes="no idea"), Failed("no idea")),
        (line(status="failed"), Failed("it gave up, and did not say why")),
        (
            line(status="blocked", blocker={"what": "no key", "tried": "env", "needs": "a key", "severity": "minor"}),
            Blocked("no key", "env", "a key", "minor"),
        ),
        (line(status="blocked", notes="no key"), Blocked("no key", notes="no key")),
        (line(status="blocked"), Blocked("it did not say what blocks it")),
        (line(status="asked", question={"text": "Which?", "options": ["a", "b"]}), Asked("Which?", ("a", "b"))),
        (line(status="asked", notes="Which?"), Asked("Which?", notes="Which?")),
        (
            line(status="asked", question={"text": "Which?", "options": ["a"], "default": "a", "within_minutes": 5}),
            Asked("Which?", ("a",), default="a", within_minutes=5),
        ),
        (line(status="asked"), Failed("it asked, and gave no question")),
    ],
)
def test_an_answer_is_read(said: bytes, result: Result) -> None:
    assert read_result(said) == result


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"done",
        b"\xff\xfe",
        b"{}",
        b'{"status": "ok"}',
        b'{"status": ["done"]}',
        b'["status", "done"]',
        b'{"status": "done"} trailing',
        b'{"status": "blocked", "status": "done"}',
        b'{"status": "done", "x": ' + b"[" * 100_000,
        b'{"status": "done"}\nbye',
        b'{"status": "done", "notes": "' + b"x" * 2_000_000 + b'"}',
    ],
    ids=lambda said: said[:20],
)
def test_anything_else_is_plain_output(said: bytes) -> None:
    assert read_result(said) is None


@pytest.mark.parametrize(
    ("said", "where"),
    [
        (line(status="blocked", blocker="no key"), "blocker"),
        (line(status="blocked", blocker={"what": "x", "severity": "fatal"}), r"blocker\.severity"),
        (line(status="asked", question={"text": "?", "options": ["x"] * 21}), r"question\.options"),
        (line(status="done", notes=["x"]), "notes"),
    ],
)
def test_an_answer_that_goes_wrong_is_no_success(said: bytes, where: str) -> None:
    result = read_result(said)
    assert isinstance(result, Failed)
    assert f"cannot be read: {where.replace(chr(92), '')}" in result.reason


@given(st.binary())
def test_no_output_breaks_the_reader(output: bytes) -> None:
    read_result(output)


@pytest.mark.parametrize("more", [{"default": "c"}, {"within_minutes": 0}, {"within_minutes": 10**6}])
def test_a_default_that_is_not_offered_and_a_time_that_is_none_are_told_as_a_failure(more: dict[str, object]) -> None:
    said = line(status="asked", question={"text": "Which?", "options": ["a", "b"], **more})
    found = read_result(said)
    assert isinstance(found, Failed)
    assert found.reason.startswith("its answer cannot be read: question")


def test_what_it_saw_besides_is_handed_in_with_what_is_done() -> None:
    issue = {"title": "old\x1b[31m code", "category": "debt", "evidence": ["a.py:3"], "unknown": 1}
    said = json.dumps({"status": "done", "notes": "n", "issues": [issue]}).encode()
    assert read_result(said) == Done("n", (Report(title="old code", category="debt", evidence=("a.py:3",)),))


@pytest.mark.parametrize(
    "issues", [[{"title": ""}], [{}], ["x"], [{"title": "x", "severity": "grave"}], [{"title": "x"}] * 21]
)
def test_issues_that_cannot_be_read_make_the_answer_unreadable(issues: list[object]) -> None:
    said = read_result(json.dumps({"status": "done", "issues": issues}).encode())
    assert isinstance(said, Failed)
    assert "issues" in said.reason
