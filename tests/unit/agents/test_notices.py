"""Every notice becomes one entry of the agent's own log, and nothing else passes for one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callboard.agents.notices import log_notice
from callboard.bus.errors import Reject
from callboard.bus.messages import (
    JOURNAL,
    AnswerGiven,
    ApprovalRequested,
    BlockerClimbed,
    BlockerResolved,
    Body,
    ChangesRequested,
    Draft,
    Envelope,
    FeedbackLogged,
    HandInRefused,
    MergeLanded,
    TaskCancelled,
    TaskClosed,
    TaskProgressed,
    new_id,
)
from callboard.bus.task import Finding, Permit


def told(body: Body) -> Envelope:
    draft = Draft("driver-1", body, "T-1", 2)
    return draft.stamp(id=new_id(), run="r", sender="manager", now=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (HandInRefused(rule="paths", path="x.py", way_out="stay below app/"), "evidence", "rule paths, `x.py`"),
        (
            ApprovalRequested(question="q-1", text="May it?", permits=(Permit(rule="document", path="n.md"),)),
            "question",
            "rule document, `n.md`",
        ),
        (ChangesRequested(source="gate", summary="`pytest` exited 1"), "evidence", "`pytest` exited 1"),
        (ChangesRequested(source="landing", summary="conflict"), "merge", "conflict"),
        (
            ChangesRequested(
                source="review", summary="2 of 3", findings=(Finding(severity="major", scenario="it breaks"),)
            ),
            "review",
            "major finding: it breaks",
        ),
        (BlockerResolved(blocker="no key", answer="use K"), "resolved", "answer: use K"),
        (BlockerResolved(blocker="no key", answer="use K", by="trio"), "resolved", "advice of trio, not an order"),
        (
            BlockerClimbed(blocker="B-1", what="no key", rung="senior", facts=("asks senior",)),
            "blocker",
            "B-1 climbs: senior",
        ),
        (AnswerGiven(question="Which?", text="A"), "answer", "question: Which?"),
        (MergeLanded(commit="a" * 40, tree="b" * 40, ref="refs/heads/callboard/r"), "merge", "on `callboard/r`"),
        (TaskClosed(state="failed", reason="3 attempts spent"), "task", "3 attempts spent"),
        (TaskCancelled(reason="cancelled by a person"), "task", "cancelled by a person"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Body) else "",
)
def test_a_notice_becomes_one_entry(body: Body, kind: str, words: str) -> None:
    (draft,) = log_notice("driver-1", told(body)).messages
    assert (draft.recipient, draft.task, draft.attempt) == (JOURNAL, "T-1", 2)
    assert isinstance(draft.body, FeedbackLogged)
    assert (draft.body.log, draft.body.entry) == ("driver-1", kind)
    assert words in "\n".join((draft.body.title, *draft.body.facts, draft.body.text))


def test_what_is_no_notice_is_rejected() -> None:
    with pytest.raises(Reject, match=r"nothing to do with task\.progressed"):
        log_notice("driver-1", told(TaskProgressed(doing="x")))
