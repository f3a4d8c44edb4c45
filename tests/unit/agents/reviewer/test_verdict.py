"""A verdict is read whole or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.reviewer.verdict import MAX_FINDINGS, abstention, parse_verdict
from callboard.bus.errors import BrainError

FINDING = {"severity": "major", "file": "app.py", "line": 3, "quote": "x = 1", "scenario": "it breaks"}


def said(**changes: object) -> str:
    return json.dumps({"vote": "needs_revision", "findings": [FINDING], "notes": "see there", **changes})


def test_a_verdict_is_read_from_the_whole_text() -> None:
    verdict = parse_verdict(json.dumps(json.loads(said()), indent=2))
    assert verdict.vote == "needs_revision"
    assert verdict.findings[0].file == "app.py"
    assert verdict.notes == "see there"


def test_a_verdict_is_read_from_the_last_line() -> None:
    assert parse_verdict(f"thinking ...\n{{}}\n{said(vote='approved')}\n\n").vote == "approved"


def test_a_brain_cannot_call_its_own_finding_verified() -> None:
    assert not parse_verdict(said(findings=[{**FINDING, "verified": True}])).findings[0].verified


@pytest.mark.parametrize(
    "text",
    [
        "",
        "approved",
        "[]",
        "null",
        '{"notes": "no vote"}',
        said(vote="APPROVED"),
        said(vote=True),
        said(findings={"severity": "major"}),
        said(findings=[{**FINDING, "severity": "critical"}]),
        said(findings=[{**FINDING, "line": "3"}]),
        said(findings=[{**FINDING, "line": -1}]),
        said(findings=[{**FINDING, "quote": None}]),
        said(findings=[{**FINDING, "quote": "x" * 5_000}]),
        said(findings=[FINDING] * (MAX_FINDINGS + 1)),
        said(notes="\ud800"),
        '{"vote": "needs_revision", "vote": "approved"}',
        '{"vote": "approved", "score": NaN}',
        '{"vote": "approved", "deep": ' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"vote": "approved", "big": ' + "9" * 100_000 + "}",
        '{"vote": "approved", "notes": "' + "x" * 2_000_000 + '"}',
        said() + "\nthat was my verdict",
    ],
    ids=lambda text: text[:30],
)
def test_what_cannot_be_read_whole_is_no_verdict(text: str) -> None:
    with pytest.raises(BrainError):
        parse_verdict(text)


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "replace")))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parse_verdict(text)
    except BrainError:
        return


def test_an_abstention_says_why_in_text_that_can_be_sent() -> None:
    verdict = abstention("it \x1b[31mhung\ud800")
    assert verdict.vote == "abstained"
    assert verdict.notes == "it hung?"
    verdict.model_dump_json()
