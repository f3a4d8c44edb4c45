"""What was seen to be wrong and did not stop a landing: kept under a key, counted, closed, and handed from run to run."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk_board import NOON, REVIEWERS, Desk, Heard, spec

from callboard.agents.manager import carrying, issues, tiers
from callboard.bus.board import Board, Change
from callboard.bus.issues import IssueDoc, Kept, Report, is_key, issue_key
from callboard.bus.messages import BacklogCarried, Body, EvidenceSubmitted, IssueClosed, IssueReported
from callboard.bus.task import CommandResult, Finding

NIT = Finding(severity="minor", file="a.py", line=3, quote="x = 1", scenario="the name says nothing", verified=True)
FLAKY = CommandResult(command="make test", exit_code=0, duration_s=1, digest="", flaky=True)


def issue(desk: Desk, key: str) -> IssueDoc:
    return desk.board.get(f"issue:{key}", IssueDoc)


def person(desk: Desk, body: Body) -> tuple[bool, str]:
    reply = desk.hear(body, "person").reply
    return reply.ok, reply.text


def report(desk: Desk, key: str = "k", *, task: str = "", **values: object) -> tuple[bool, str]:
    given = Report(title="it is slow", key=key).model_copy(update=values)
    return person(desk, IssueReported(report=given, task=task))


def carry(desk: Desk, *kept: Kept, run: str = "before") -> Heard:
    return desk.hear(BacklogCarried(run=run, issues=kept), "manager")


def kept(key: str = "k", **values: object) -> Kept:
    made = Kept(
        key=key,
        title="it is slow",
        category="speed",
        severity="minor",
        first_run="first",
        last_run="before",
        first_at=NOON,
        last_at=NOON,
        count=2,
        age_runs=1,
        age_tiers=0,
    )
    return made.model_copy(update=values)


# --- keys ---


def test_a_key_is_made_of_small_words_and_stays_the_same() -> None:
    assert issue_key("test_failure", "Auth missing!") == "test_failure__auth_missing"
    assert issue_key("test_failure", "auth  MISSING") == "test_failure__auth_missing"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "x" * 100 + "1"), ("a", "x" * 100 + "2")),
        (("a", "größe"), ("a", "grösse")),
        (("a", "日本"), ("a", "日本語")),
        (("", ""), ("", "!")),
        (("k" * 30, "x"), ("k" * 31, "x")),
    ],
)
def test_what_the_letters_cannot_say_is_kept_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    keys = issue_key(*one), issue_key(*other)
    assert keys[0] != keys[1]
    assert all(is_key(key) and len(key) <= 80 for key in keys)


@pytest.mark.parametrize("text", ["", "A", "a b", "-a", "a/b", "a:b", "x" * 81, "a\n"])
def test_what_cannot_be_a_field_of_the_board_is_no_key(text: str) -> None:
    assert not is_key(text)


# --- people ---


def test_a_person_reports_an_issue_and_the_same_key_counts_again() -> None:
    desk = Desk()
    assert report(desk) == (True, "issue k is kept, minor")
    assert report(desk) == (True, "issue k is kept, minor, seen 2 times")
    assert (issue(desk, "k").count, len(issue(desk, "k").sightings)) == (2, 1)


def test_a_graver_report_makes_it_major_and_a_lighter_one_does_not_take_that_back() -> None:
    desk = Desk()
    report(desk)
    report(desk, severity="major")
    report(desk)
    assert issue(desk, "k").severity == "major"


@pytest.mark.parametrize(
    ("key", "task", "why"), [("A b", "", "cannot be an issue's key"), ("k", "T-9", "no task 'T-9'")]
)
def test_a_report_that_cannot_be_kept_says_why(key: str, task: str, why: str) -> None:
    desk = Desk()
    ok, text = report(desk, key, task=task)
    assert (ok, why in text, list(desk.board.all(IssueDoc))) == (False, True, [])


def test_a_closed_issue_is_gone_until_it_is_seen_again() -> None:
    desk = Desk()
    report(desk)
    assert person(desk, IssueClosed(key="k", reason="mended"))[0]
    assert tiers.open_issues(desk.board) == []
    assert person(desk, IssueClosed(key="k")) == (False, "k is closed already: mended")
    assert person(desk, IssueClosed(key="z"))[0] is False
    report(desk)
    assert (issue(desk, "k").state, issue(desk, "k").count) == ("open", 1)


def test_at_most_so_many_are_kept_open() -> None:
    desk = Desk()
    for number in range(issues.MOST_OPEN):
        assert report(desk, f"k{number}")[0]
    assert report(desk, "one-more")[0] is False
    assert report(desk, "k7")[0], "one that is there counts again"
    person(desk, IssueClosed(key="k7"))
    assert report(desk, "one-more")[0]


# --- reviewers, gates, drivers ---


def reviewed() -> Desk:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_review("T-1")
    return desk


def test_a_finding_that_was_accepted_with_is_an_issue_of_its_task() -> None:
    desk = reviewed()
    desk.vote("T-1", "senior", "approved", NIT)
    for name in REVIEWERS[:2]:
        desk.vote("T-1", name)
    [found] = tiers.open_issues(desk.board)
    assert (found.severity, found.title, found.sightings[0].evidence) == ("minor", NIT.scenario, ("a.py:3",))
    assert found.of("T-1")[0].source == "review"


def test_a_grave_finding_that_nothing_proves_stays_grave() -> None:
    desk = reviewed()
    desk.vote("T-1", "senior", "approved", Finding(severity="major", scenario="it may be too slow"))
    for name in REVIEWERS[:2]:
        desk.vote("T-1", name)
    desk.make_one("T-1", "F-1")
    for name in REVIEWERS[:2]:
        desk.second("T-1", name)
    assert [found.severity for found in tiers.open_issues(desk.board)] == ["major"]


def test_the_same_fault_in_other_words_is_the_same_issue() -> None:
    desk = reviewed()
    desk.vote("T-1", "senior", "approved", NIT)
    desk.vote("T-1", "junior-1", "approved", NIT.model_copy(update={"scenario": "nobody understands this", "line": 4}))
    desk.vote("T-1", "junior-2")
    assert [(found.count, len(found.sightings)) for found in tiers.open_issues(desk.board)] == [(2, 1)]


def test_a_finding_whose_quote_is_not_there_is_no_issue() -> None:
    desk = reviewed()
    desk.vote("T-1", "senior", "approved", NIT.model_copy(update={"verified": False}))
    for name in REVIEWERS[:2]:
        desk.vote("T-1", name)
    assert tiers.open_issues(desk.board) == []


def test_findings_of_a_review_that_sent_it_back_are_the_drivers_next_attempt_and_no_issues() -> None:
    desk = reviewed()
    for name in REVIEWERS:
        desk.vote("T-1", name, "needs_revision", NIT)
    assert tiers.open_issues(desk.board) == []


def test_a_gate_that_was_red_and_then_green_is_an_issue_of_its_command() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    desk.gate("T-1", commands=(FLAKY,), flaky=True)
    [found] = tiers.open_issues(desk.board)
    assert (found.key, found.category) == ("flake__make_test", "flake")


def linted(tail: str, exit_code: int = 1) -> list[IssueDoc]:
    """What is kept of a command of `[project] lint`, of a task that changed a.py and pkg/b.py."""
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    said = CommandResult(command="lint .", exit_code=exit_code, duration_s=1, digest="", tail=tail)
    desk.gate("T-1", lint=(said,), files=("a.py", "pkg/b.py"))
    return tiers.open_issues(desk.board)


def test_what_a_linter_says_of_the_tasks_own_files_is_kept_whatever_the_line() -> None:
    found = linted("a.py:3:1: unused name\n./pkg/b.py:9: long line\nother.py:1: old sin\nFound 3 errors.")
    assert [(one.title, one.sightings[0].evidence) for one in found] == [
        ("unused name", ("a.py:3",)),
        ("long line", ("./pkg/b.py:9",)),
    ]
    assert linted("a.py:77: unused name")[0].key == found[0].key


def test_a_linter_that_names_no_file_is_an_issue_itself_and_one_that_passes_is_none() -> None:
    assert [one.key for one in linted("something is wrong")] == ["lint__lint"]
    assert linted("a.py:3: unused name", exit_code=0) == []


def test_a_linter_that_speaks_of_other_files_alone_is_no_issue_of_this_task() -> None:
    assert linted("other.py:1: old sin") == []


def test_a_drivers_suggestions_come_with_its_evidence_under_keys_of_their_own() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    report(desk, "slow")
    suggested = tuple(Report(title=f"old code {n}", key="slow" if n == 0 else "") for n in range(30))
    desk.hear(EvidenceSubmitted(head=None, issues=suggested), "driver-1", "T-1")
    found = [one for one in tiers.open_issues(desk.board) if one.sightings[0].source == "driver"]
    assert len(found) == issues.MOST_AT_ONCE
    assert issue(desk, "slow").count == 1, "an agent cannot write over what a person reported"


def test_what_is_seen_in_a_high_risk_task_is_major() -> None:
    desk = Desk()
    desk.directions(spec("one", category="security_auth"), spec("two", category="docs"))
    report(desk, "a", task="T-1")
    report(desk, "b", task="T-2")
    assert [issue(desk, key).severity for key in ("a", "b")] == ["major", "minor"]


# --- from run to run ---


def test_the_backlog_is_taken_over_once_and_grows_older_with_each_run() -> None:
    desk = Desk()
    carry(desk, kept())
    carry(desk, kept(), kept("other"))
    assert [one.key for one in tiers.open_issues(desk.board)] == ["k"]
    assert not issue(desk, "k").is_of_this_run
    [next_] = carrying.left_open(desk.board)
    assert (next_.age_runs, next_.first_run, next_.count) == (2, "first", 2)


def test_what_this_run_saw_before_it_heard_of_the_backlog_is_one_with_it() -> None:
    desk = Desk()
    report(desk)
    carry(desk, kept(severity="major"))
    found = issue(desk, "k")
    assert (found.count, found.severity, found.first_run, found.age_runs) == (3, "major", "first", 1)
    assert found.is_of_this_run


def test_what_was_closed_is_not_taken_over() -> None:
    desk = Desk()
    report(desk)
    person(desk, IssueClosed(key="k"))
    assert carrying.left_open(desk.board) == ()


def test_a_run_that_took_nothing_over_loses_nothing_of_the_run_before() -> None:
    older, newer = (kept("k", age_runs=1), kept("old", age_runs=1)), (kept("k", severity="major", count=1),)
    found = {one.key: one for one in carrying.merged([older, newer])}
    assert (found["k"].count, found["k"].age_runs, found["k"].severity) == (3, 2, "major")
    assert found["old"].age_runs == 2


def test_of_runs_side_by_side_the_newest_that_knows_an_issue_says_how_it_stands() -> None:
    first, second, third = Desk(), Desk(), Desk()
    for key in ("stays", "mended", "late"):
        report(first, key)
    carry(second, *(kept(key, age_runs=1) for key in ("stays", "mended")))
    person(second, IssueClosed(key="mended"))
    boards = [first.board, begun(second, 1), begun(third, 2)]
    assert {one.key: (one.age_runs, one.count) for one in carrying.gathered(boards)} == {
        "stays": (3, 2),
        "late": (3, 1),
    }
    earlier = [first.board, begun(second, -1), begun(third, 2)]
    [late] = [one for one in carrying.gathered(earlier) if one.key == "late"]
    assert late.age_runs == 2, "the second run had begun before anybody saw it"


def begun(desk: Desk, after_h: int) -> Board:
    """The board of a run that began so many hours after noon, when all issues here were seen."""
    run = desk.board.run.model_copy(update={"created_at": NOON + timedelta(hours=after_h)})
    return desk.board.with_changes([Change("run", run)])


# --- age ---


@pytest.mark.parametrize(("runs", "counts_as"), [(2, "minor"), (3, "minor"), (4, "major")])
def test_a_minor_issue_older_than_three_runs_counts_as_major(runs: int, counts_as: str) -> None:
    desk = Desk()
    carry(desk, kept(age_runs=runs))
    assert tiers.severity(desk.board, issue(desk, "k")) == counts_as


def end_tiers(desk: Desk, *names: str) -> None:
    desk.directions(*(spec(name, tier=name) for name in names))
    for task in desk.board.tasks():
        desk.person("cancel", task=task.id)


@pytest.mark.parametrize(("ended", "counts_as"), [(1, "minor"), (2, "minor"), (3, "major")])
def test_a_minor_issue_older_than_two_tiers_counts_as_major(ended: int, counts_as: str) -> None:
    desk = Desk()
    report(desk)
    end_tiers(desk, *("a", "b", "c")[:ended])
    assert tiers.severity(desk.board, issue(desk, "k")) == counts_as


def test_tiers_of_earlier_runs_count_on() -> None:
    desk = Desk()
    carry(desk, kept(age_tiers=2))
    assert tiers.severity(desk.board, issue(desk, "k")) == "minor"
    end_tiers(desk, "a")
    assert tiers.severity(desk.board, issue(desk, "k")) == "major"


def test_a_tier_that_ends_again_makes_nothing_older() -> None:
    desk = Desk()
    report(desk)
    end_tiers(desk, "a")
    desk.directions(spec("a", tier="a"), spec("more", tier="a"))
    for task in desk.board.tasks():
        desk.person("cancel", task=task.id)
    assert tiers.age_in_tiers(desk.board, issue(desk, "k")) == 1


def test_an_issue_that_is_found_after_a_tier_has_ended_is_no_older_for_it() -> None:
    desk = Desk()
    end_tiers(desk, "a")
    desk.wait(hours=1)
    report(desk)
    assert tiers.age_in_tiers(desk.board, issue(desk, "k")) == 0
    assert issue(desk, "k").first_at == NOON + timedelta(hours=1)
