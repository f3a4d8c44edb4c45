"""A synthesis may order and dismiss, and invents nothing; what cannot be read is none."""

from __future__ import annotations

import json

import pytest

from callboard.agents.reviewer.second import MAX_ITEMS, counted, parse_synthesis, parse_vote
from callboard.bus.errors import BrainError
from callboard.bus.reviews import Dismissal, Standing, Synthesis, SynthesisItem
from callboard.bus.task import Finding

OPEN = Standing(id="F-1", by=("junior-1",), finding=Finding(severity="major", scenario="it breaks"))
SHOWN = Standing(id="F-2", by=("senior",), finding=Finding(severity="major", scenario="x", proof="shown"))


def made(*items: tuple[str, ...], dismissed: tuple[tuple[str, str], ...] = ()) -> Synthesis:
    said = Synthesis(
        items=tuple(SynthesisItem(findings=ids, text=f"about {ids}") for ids in items),
        dismissed=tuple(Dismissal(finding=id, reason=why) for id, why in dismissed),
    )
    return counted(said, (OPEN, SHOWN))


def test_an_item_that_rests_on_nothing_is_not_counted() -> None:
    said = made(("F-1",), ("F-9",), (), ("F-2", "F-9", "F-2"))
    assert [item.findings for item in said.items] == [("F-1",), ("F-2",)]
    assert len(said.refused) == 2
    assert all("names nothing that stands" in why for why in said.refused)


@pytest.mark.parametrize(
    ("id", "reason", "why"),
    [
        ("F-9", "another task", "there is no such finding"),
        ("F-1", "  ", "no reason is given"),
        ("F-2", "another task", "its command has shown it"),
    ],
)
def test_a_dismissal_needs_a_finding_a_reason_and_no_proof(id: str, reason: str, why: str) -> None:
    said = made(dismissed=((id, reason),))
    assert said.dismissed == ()
    assert said.refused == (f"{id} is not dismissed: {why}",)


def test_what_an_item_keeps_is_not_dismissed() -> None:
    assert made(("F-1",), dismissed=(("F-1", "another task"),)).dismissed == ()
    assert [it.finding for it in made(dismissed=(("F-1", "another task"),)).dismissed] == ["F-1"]


@pytest.mark.parametrize(
    "text",
    [
        "LGTM",
        "{}",
        json.dumps({"vote": "approved", "findings": []}),
        json.dumps({"summary": 3}),
        json.dumps({"summary": "x", "items": [{"findings": "F-1", "text": "y"}]}),
        json.dumps({"summary": "x", "items": [{"findings": [], "text": "y"}] * (MAX_ITEMS + 1)}),
        "x" * 2_000_000,
    ],
)
def test_what_is_no_synthesis_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(BrainError):
        parse_synthesis(text)


def test_a_vote_is_read_from_the_last_line_and_a_verdict_passes_for_one() -> None:
    assert parse_vote('so I say\n{"vote": "approved", "notes": "fine\\u001b[31m"}').notes == "fine"
    assert parse_vote(json.dumps({"vote": "needs_revision", "findings": [], "notes": ""})).vote == "needs_revision"
    for text in ("yes", '{"vote": "yes"}', '{"notes": "x"}', '{"vote": "approved", "vote": "approved"}'):
        with pytest.raises(BrainError):
            parse_vote(text)
