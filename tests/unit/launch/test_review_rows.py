"""What `callboard reviews` counts and tells."""

from __future__ import annotations

from callboard.bus.board import Verdict
from callboard.bus.reviews import Dismissal, ReviewDoc, SecondVote, Synthesis
from callboard.bus.task import Finding
from callboard.launch.review_rows import kappa, review_row, stats

SEATS = {"senior": "s", "junior-1": "j", "junior-2": "k"}
YES = Verdict(vote="approved")
MAJOR = Finding(severity="major", file="a.py", line=2, quote="x", scenario="it breaks", verified=True)
PROVED = MAJOR.model_copy(update={"quote": "y", "proof": "shown", "ran": "its command exits 1 here"})
GONE = MAJOR.model_copy(update={"quote": "z", "dropped": "its quote is not at a.py:2"})


def ended(id: str, outcome: str, **values: object) -> ReviewDoc:
    about = {"version": 1, "id": id, "task": "T-1", "attempt": 1, "seats": SEATS, "outcome": outcome}
    return ReviewDoc.model_validate({**about, "verdicts": {"s": YES, "j": YES, "k": YES}, **values})


NO = Verdict(vote="needs_revision", findings=(MAJOR, PROVED, GONE), notes="look again")
DISPUTED = ended(
    "T-1.1.2",
    "consensus",
    verdicts={"s": YES, "j": NO, "k": YES},
    synthesis=Synthesis(summary="fine", dismissed=(Dismissal(finding="F-2", reason="another task"),)),
    votes={"j": SecondVote(vote="approved", notes="so be it"), "k": SecondVote(vote="approved")},
)
FAILED = ended(
    "T-1.1.3",
    "major_flaws",
    verdicts={"s": YES, "j": NO, "k": Verdict(vote="abstained")},
    dissent=("s",),
    stop="6 in a row",
)


def test_outcomes_rounds_and_agreement_are_counted() -> None:
    found = stats("r", [ended("T-1.1.1", "consensus"), DISPUTED, FAILED, ended("T-1.1.4", "no_quorum"), ended("x", "")])
    assert (found.reviews, found.outcomes) == (3, {"consensus": 2, "major_flaws": 1, "no_quorum": 1})
    assert (found.unanimous, found.second_rounds, found.asked_a_person) == (1, 1, 1)
    senior, junior, other = found.seats
    assert (senior.verdicts, senior.approvals, senior.dissents, senior.agreed) == (4, 4, 1, 0.667)
    assert (junior.findings, junior.majors, junior.dropped, junior.shown) == (6, 6, 2, 2)
    assert (other.verdicts, other.abstentions) == (3, 1)
    assert next((it.seats, it.reviews, it.agreement) for it in found.pairs) == (("senior", "junior-1"), 3, 0.333)


def test_a_run_without_reviews_has_no_shares() -> None:
    found = stats("r", [])
    assert (found.reviews, found.outcomes) == (0, {})
    assert [row.agreed for row in found.seats] == [None] * 3
    assert [row.kappa for row in found.pairs] == [None] * 3


def test_kappa_is_cohens() -> None:
    yes, no = "approved", "needs_revision"
    assert kappa([(yes, yes), (no, no)]) == 1
    assert kappa([(yes, no), (no, yes)]) == -1
    assert kappa([(yes, yes)] * 20 + [(yes, no)] * 5 + [(no, yes)] * 10 + [(no, no)] * 15) == 0.4
    assert kappa([(yes, yes)]) is None


def test_a_review_is_told_with_what_became_of_each_finding() -> None:
    row = review_row(DISPUTED)
    assert [(it.became, it.why) for it in row.findings] == [
        ("dismissed", "another task"),
        ("proven", "its command exits 1 here"),
        ("dropped", "its quote is not at a.py:2"),
    ]
    assert [(it.seat, it.blind, it.second) for it in row.words] == [
        ("senior", "approved", ""),
        ("junior-1", "needs_revision", "approved"),
        ("junior-2", "approved", "approved"),
    ]
    assert row.words[1].notes == "look again / so be it"
    assert review_row(FAILED).words[0].is_dissent
