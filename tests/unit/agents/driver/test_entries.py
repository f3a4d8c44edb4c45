"""Each message to the manager has its entry in the driver's own log beside it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callboard.agents.brains.brain import Asked, Blocked, Done, Failed, Parked
from callboard.agents.driver import entries
from callboard.agents.driver.entries import MAX_FILES, HandIn, Kept
from callboard.bus.messages import (
    JOURNAL,
    AttemptFailed,
    AttemptParked,
    BlockerRaised,
    EvidenceSubmitted,
    FeedbackLogged,
    Outcome,
    QuestionAsked,
    TaskAssigned,
)
from callboard.bus.task import Briefing, TaskSpec

ASSIGNED = TaskAssigned(
    spec=TaskSpec(key="driver-1/x", title="Do x", agent="driver-1"),
    briefing=Briefing(agent="driver-1", version=""),
    base="a" * 40,
    start="a" * 40,
)
KEPT = Kept("b" * 40)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "body", "kind"),
    [
        (entries.evidence("driver-1", ASSIGNED, HandIn(None), Done()), EvidenceSubmitted, "evidence"),
        (entries.blocked("driver-1", ASSIGNED, Blocked("no key"), KEPT), BlockerRaised, "blocker"),
        (entries.asked("driver-1", ASSIGNED, Asked("Which?"), KEPT), QuestionAsked, "question"),
        (entries.failed("driver-1", ASSIGNED, Failed("oops"), KEPT), AttemptFailed, "task"),
        (entries.parked("driver-1", ASSIGNED, Parked("rate_limit", "wait", NOON), KEPT), AttemptParked, "task"),
    ],
    ids=["evidence", "blocked", "asked", "failed", "parked"],
)
def test_the_manager_hears_what_the_own_log_says(outcome: Outcome, body: type, kind: str) -> None:
    told, logged = outcome.messages
    assert (told.recipient, type(told.body)) == ("manager", body)
    assert logged.recipient == JOURNAL
    assert isinstance(logged.body, FeedbackLogged)
    assert (logged.body.log, logged.body.entry) == ("driver-1", kind)
    assert getattr(told.body, "head", None) in (None, KEPT.head)


def test_work_that_could_not_be_kept_is_said_to_be_in_the_clone() -> None:
    outcome = entries.failed("driver-1", ASSIGNED, Failed("oops"), Kept(problem="the disk is full"))
    (_, logged) = outcome.messages
    assert isinstance(logged.body, FeedbackLogged)
    assert logged.body.facts == ("work so far: still in the clone only: the disk is full",)


def test_a_parking_says_until_when_and_why() -> None:
    it = Parked("rate_limit", "429 from claude", NOON)
    (_, logged) = entries.parked("driver-1", ASSIGNED, it, KEPT).messages
    assert isinstance(logged.body, FeedbackLogged)
    assert logged.body.facts[0] == "parked until 2026-03-02 12:00:00Z: 429 from claude"


def test_evidence_names_a_bounded_number_of_files() -> None:
    files = tuple(f"f{n}" for n in range(5_000))
    told = entries.evidence("driver-1", ASSIGNED, HandIn("b" * 40, files), Done()).messages[0].body
    assert isinstance(told, EvidenceSubmitted)
    assert len(told.files) == MAX_FILES


def test_a_blockers_text_stands_once() -> None:
    logged = entries.blocked("driver-1", ASSIGNED, Blocked("no key", notes="no key"), KEPT).messages[1].body
    assert isinstance(logged, FeedbackLogged)
    assert logged.text == ""
