"""The review rule, against a second, slower statement of it and against what it must never do."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.reviewer.consensus import (
    Approved,
    Judgement,
    NoQuorum,
    Rejected,
    Waiting,
    dropped,
    judge,
)
from callboard.bus.board import Verdict
from callboard.bus.task import Finding

TRIO = ("senior", "junior-1", "junior-2")
YES = Verdict(vote="approved")
NO = Verdict(vote="needs_revision", notes="the port is ignored")
NONE = Verdict(vote="abstained")
PROVED = Finding(severity="major", file="app.py", line=3, quote="port = 80", verified=True)
MADE_UP = Finding(severity="major", file="app.py", line=3, quote="rm -rf", verified=False)

findings = st.builds(
    Finding,
    severity=st.sampled_from(["minor", "major"]),
    file=st.sampled_from(["", "app.py"]),
    quote=st.sampled_from(["", "x = 1"]),
    verified=st.booleans(),
)
verdicts = st.builds(
    Verdict,
    vote=st.sampled_from(["approved", "needs_revision", "abstained"]),
    findings=st.lists(findings, max_size=3).map(tuple),
    notes=st.sampled_from(["", "why"]),
)
heard = st.dictionaries(st.sampled_from([*TRIO, "driver-1"]), verdicts)


def rank(outcome: Judgement) -> int:
    """How near an outcome is to landing."""
    match outcome:
        case Approved():
            return 2
        case Waiting() | NoQuorum():
            return 1
        case Rejected():
            return 0


def approves_by_the_letter(given_verdicts: dict[str, Verdict]) -> bool:
    """The rule as it is written, in another shape: all three answered, at least two approve, no proven major."""
    votes = [given_verdicts[name].vote if name in given_verdicts else None for name in TRIO]
    majors = [
        finding
        for name in TRIO
        if name in given_verdicts
        for finding in given_verdicts[name].findings
        if finding.severity == "major" and finding.verified
    ]
    return None not in votes and "abstained" not in votes and votes.count("approved") >= 2 and not majors


def test_two_approvals_and_a_doubt_without_proof_approve() -> None:
    doubt = Finding(severity="major", scenario="it feels slow")
    outcome = judge(
        {"senior": YES, "junior-1": YES, "junior-2": Verdict(vote="needs_revision", findings=(doubt,))}, TRIO, False
    )
    assert outcome == Approved()


def test_a_proven_major_overrules_three_approvals() -> None:
    outcome = judge(
        {name: Verdict(vote="approved", findings=(PROVED,) if name == "senior" else ()) for name in TRIO}, TRIO, False
    )
    assert isinstance(outcome, Rejected)
    assert outcome.findings == (PROVED,)
    assert "app.py:3" in outcome.summary


def test_a_finding_whose_quote_is_not_there_counts_for_nothing() -> None:
    given_verdicts = {name: Verdict(vote="approved", findings=(MADE_UP,)) for name in TRIO}
    assert judge(given_verdicts, TRIO, False) == Approved()
    assert dropped(MADE_UP)
    assert not dropped(PROVED)


def test_a_rejection_lists_proven_majors_first_and_names_who_asked_for_changes() -> None:
    minor = Finding(severity="minor", scenario="a name could be better")
    given_verdicts = {
        "senior": Verdict(vote="needs_revision", findings=(minor,), notes="fix it"),
        "junior-1": NO,
        "junior-2": Verdict(vote="approved", findings=(PROVED,)),
    }
    outcome = judge(given_verdicts, TRIO, False)
    assert isinstance(outcome, Rejected)
    assert outcome.findings == (PROVED, minor)
    assert outcome.summary.splitlines()[0] == "2 of 3 reviewers ask for changes (senior, junior-1)"
    assert "senior: fix it" in outcome.summary


def test_a_review_waits_for_whoever_is_missing_until_the_deadline() -> None:
    assert judge({"senior": YES, "junior-1": YES}, TRIO, False) == Waiting()
    late = judge({"senior": YES, "junior-1": YES}, TRIO, True)
    assert isinstance(late, NoQuorum)
    assert late.missing == ("junior-2",)


def test_an_abstention_is_no_answer() -> None:
    outcome = judge({"senior": YES, "junior-1": YES, "junior-2": NONE}, TRIO, False)
    assert isinstance(outcome, NoQuorum)
    assert "junior-2 abstained" in outcome.summary


def test_two_refusals_need_no_third_answer() -> None:
    assert isinstance(judge({"senior": NO, "junior-1": NO}, TRIO, True), Rejected)


@pytest.mark.parametrize("reviewers", [(), ("senior",), ("senior", "junior-1"), ("senior", "senior", "senior")])
def test_fewer_than_three_reviewers_approve_nothing(reviewers: tuple[str, ...]) -> None:
    assert isinstance(judge(dict.fromkeys(TRIO, YES), reviewers, True), NoQuorum)


@given(heard, st.booleans())
def test_the_rule_approves_exactly_what_it_says(given_verdicts: dict[str, Verdict], late: bool) -> None:
    assert isinstance(judge(given_verdicts, TRIO, late), Approved) == approves_by_the_letter(given_verdicts)


@given(heard, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(
    given_verdicts: dict[str, Verdict], late: bool, draw: random.Random
) -> None:
    names = list(given_verdicts)
    draw.shuffle(names)
    assert judge({name: given_verdicts[name] for name in names}, TRIO, late) == judge(given_verdicts, TRIO, late)


@given(heard, st.booleans(), st.sampled_from(TRIO))
def test_one_more_proven_major_never_helps(given_verdicts: dict[str, Verdict], late: bool, name: str) -> None:
    before = judge(given_verdicts, TRIO, late)
    was = given_verdicts.get(name, YES)
    worse = {**given_verdicts, name: was.model_copy(update={"findings": (*was.findings, PROVED)})}
    after = judge(worse, TRIO, late)
    assert not isinstance(after, Approved)
    assert rank(after) <= rank(before)


@given(heard, st.sampled_from(TRIO), st.booleans())
def test_a_missing_answer_never_approves(given_verdicts: dict[str, Verdict], name: str, late: bool) -> None:
    without = {other: verdict for other, verdict in given_verdicts.items() if other != name}
    assert not isinstance(judge(without, TRIO, late), Approved)


@given(heard, verdicts)
def test_a_verdict_from_somebody_who_was_not_asked_changes_nothing(
    given_verdicts: dict[str, Verdict], stray: Verdict
) -> None:
    asked_only = {name: verdict for name, verdict in given_verdicts.items() if name in TRIO}
    assert judge({**asked_only, "driver-1": stray}, TRIO, True) == judge(asked_only, TRIO, True)


@given(heard)
def test_after_the_deadline_nothing_waits(given_verdicts: dict[str, Verdict]) -> None:
    assert not isinstance(judge(given_verdicts, TRIO, True), Waiting)
