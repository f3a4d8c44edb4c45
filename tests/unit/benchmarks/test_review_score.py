"""What reviews of known changes come to."""

from __future__ import annotations

import pytest
from benchmarks.review.changes import Case
from benchmarks.review.score import DISTANCE, Says, Word, by_class, is_hit, score
from benchmarks.review.trio import Reviewed

from callboard.bus.reviews import Standing, Verdict, Vote
from callboard.bus.task import Finding, TaskSpec

AFTER = "".join(f"line number {n}\n" for n in range(1, 11))


def case(is_buggy: bool = True, bug_class: str = "off-by-one") -> Case:
    spec = TaskSpec(key="driver-1/c1", title="Count", agent="driver-1")
    bug = {"app.py": frozenset({5})} if is_buggy else {}
    return Case("c1", bug_class, "count", is_buggy, spec, {}, {"app.py": AFTER, "other.py": AFTER}, bug, "")


def finding(**values: object) -> Finding:
    return Finding.model_validate({"severity": "major", "file": "app.py", **values})


def word(says: Says, is_buggy: bool, *findings: Finding, bug_class: str = "off-by-one") -> Word:
    return Word(case(is_buggy, bug_class), says, findings)


HIT, BESIDE = finding(line=5), finding(line=9, quote="line number 9")


@pytest.mark.parametrize("line", range(5 - DISTANCE, 5 + DISTANCE + 1))
def test_a_finding_near_the_bug_hits_it(line: int) -> None:
    assert is_hit(finding(line=line), case())


@pytest.mark.parametrize(
    "values",
    [
        {"line": 5 - DISTANCE - 1},
        {"line": 5 + DISTANCE + 1},
        {"line": 0},
        {"line": 5, "file": "other.py"},
        {"line": 5, "file": ""},
        {"quote": "line number 6"},
        {"quote": "line"},
        {"quote": ""},
        {"quote": "line number 5", "file": "other.py"},
    ],
)
def test_a_finding_elsewhere_or_about_no_place_does_not(values: dict[str, object]) -> None:
    assert not is_hit(finding(**values), case())


@pytest.mark.parametrize(
    "values",
    [
        {"quote": "line number 5"},
        {"quote": "  line number 5  ", "file": ""},
        {"quote": "line number 9\nline number 5\n"},
        {"quote": "number 5", "line": 10},
        {"quote": "a\nb\nc", "line": 1},
    ],
)
def test_a_finding_that_quotes_the_bug_or_reaches_to_it_hits_it_wherever_it_says_it_is(
    values: dict[str, object],
) -> None:
    assert is_hit(finding(**values), case())


def test_nothing_hits_a_clean_change() -> None:
    assert not is_hit(HIT, case(is_buggy=False))


def test_counts_and_ratios() -> None:
    words = [
        *[word("stop", True, HIT)] * 5,
        word("stop", True, BESIDE),
        word("pass", True, HIT),
        word("none", True),
        *[word("stop", False, BESIDE)] * 2,
        *[word("pass", False)] * 5,
        word("none", False),
    ]
    found = score(words)
    assert (found.buggy, found.clean, found.caught, found.located, found.alarms, found.unanswered) == (8, 8, 6, 5, 2, 2)
    assert (found.hits, found.findings) == (6, 9)
    assert found.precision == pytest.approx(6 / 8)
    assert found.recall == pytest.approx(6 / 8)
    assert found.f1 == pytest.approx(0.75)
    assert found.false_alarms == pytest.approx(2 / 8)
    assert found.located_recall == pytest.approx(5 / 8)
    assert found.finding_precision == pytest.approx(6 / 9)


@pytest.mark.parametrize(("caught", "missed", "alarms"), [(1, 0, 0), (3, 5, 1), (0, 4, 4), (7, 1, 9)])
def test_f1_is_the_harmonic_mean_of_precision_and_recall(caught: int, missed: int, alarms: int) -> None:
    words = [word("stop", True)] * caught + [word("pass", True)] * missed + [word("stop", False)] * alarms
    found = score(words)
    precision, recall = found.precision or 0.0, found.recall or 0.0
    expected = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    assert found.f1 == pytest.approx(expected)


def test_what_nothing_could_have_counted_for_is_no_ratio() -> None:
    nothing = score([])
    assert {nothing.precision, nothing.recall, nothing.f1, nothing.false_alarms, nothing.finding_precision} == {None}
    assert score([word("pass", False)]).recall is None
    assert score([word("pass", True)]).precision is None
    assert score([word("pass", True)]).recall == 0


def test_each_class_is_scored_for_itself() -> None:
    words = [word("stop", True, bug_class="b"), word("pass", True, bug_class="a"), word("stop", False, bug_class="a")]
    found = by_class(words)
    assert list(found) == ["a", "b"]
    assert (found["a"].caught, found["a"].alarms, found["b"].caught) == (0, 1, 1)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [("consensus", "pass"), ("fixes", "stop"), ("major_flaws", "stop"), ("blocked", "stop"), ("no_quorum", "none")],
)
def test_what_an_outcome_of_the_trio_says(outcome: str, says: Says) -> None:
    open_ = (Standing(id="F-1", by=("senior",), finding=HIT),)
    reviewed = Reviewed(case(), outcome, open_, {}, had_second_round=False)
    assert reviewed.trio == Word(case(), says, (HIT,))


@pytest.mark.parametrize(("vote", "says"), [("approved", "pass"), ("needs_revision", "stop"), ("abstained", "none")])
def test_one_alone_is_taken_by_its_vote_and_by_the_findings_that_stand(vote: Vote, says: Says) -> None:
    gone = finding(quote="nowhere", line=5, dropped="its quote is not there")
    verdict = Verdict(vote=vote, findings=(gone, HIT))
    reviewed = Reviewed(case(), "consensus", (), {"senior": verdict}, had_second_round=False)
    assert reviewed.alone("senior") == Word(case(), says, (HIT,))
