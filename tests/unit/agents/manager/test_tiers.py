"""Cleanliness of tiers, at each number of the design: below it, at it, above it."""

from __future__ import annotations

import pytest
from desk_board import ROSTER, Desk, spec

from callboard.agents.manager.tiers import Tier, tiers
from callboard.bus.board import Change
from callboard.bus.caps import Limits
from callboard.bus.issue_caps import IssueLimits, Safety
from callboard.bus.issues import Report
from callboard.bus.messages import IssueReported


def desk_with(tasks: int, *, safety: Safety = "normal", **limits: int) -> Desk:
    """A tier of so many tasks."""
    desk = Desk()
    run = desk.run
    desk.board = desk.board.with_changes(
        [Change("run", run.model_copy(update={"safety": safety, "version": run.version + 1}))]
    )
    desk.launch(limits=Limits(issues=IssueLimits.model_validate(limits)))
    desk.start(*ROSTER)
    desk.directions(*(spec(f"t{n}", tier="setup") for n in range(tasks)))
    return desk


def report(desk: Desk, count: int, task: str = "T-1", **values: object) -> None:
    for n in range(count):
        given = Report(title="x", key=f"{values.get('severity', 'minor')}{n}").model_copy(update=values)
        desk.hear(IssueReported(report=given, task=task), "person")


def only(desk: Desk) -> Tier:
    [tier] = tiers(desk.board)
    return tier


@pytest.mark.parametrize("tasks", [1, 2, 5])
@pytest.mark.parametrize(("safety", "each"), [("normal", 2), ("safety_critical", 1)])
@pytest.mark.parametrize("beyond", [-1, 0, 1])
def test_a_tier_may_have_two_minor_issues_a_task_and_one_where_safety_is_critical(
    tasks: int, safety: Safety, each: int, beyond: int
) -> None:
    desk = desk_with(tasks, safety=safety)
    report(desk, each * tasks + beyond)
    tier = only(desk)
    assert (tier.minors, tier.minors_cap) == (each * tasks + beyond, each * tasks)
    assert tier.cleanliness == ("not_clean" if beyond > 0 else "clean")


@pytest.mark.parametrize(
    ("safety", "majors", "cleanliness"),
    [
        ("safety_critical", 0, "clean"),
        ("safety_critical", 1, "not_clean"),
        ("normal", 1, "clean"),
        ("normal", 9, "clean"),
    ],
)
def test_a_safety_critical_tier_may_have_no_major_issue(safety: Safety, majors: int, cleanliness: str) -> None:
    desk = desk_with(3, safety=safety)
    report(desk, majors, severity="major")
    assert only(desk).cleanliness == cleanliness


def test_the_numbers_are_settable() -> None:
    desk = desk_with(1, tier_minors_per_task=0)
    assert only(desk).cleanliness == "clean"
    report(desk, 1)
    assert [str(problem) for problem in only(desk).problems] == [
        "1 minor issues are open, 0 may be; mend them and `callboard issues close KEY`, or raise the cap in [issues]"
    ]


def test_an_issue_of_two_tasks_of_a_tier_counts_once() -> None:
    desk = desk_with(2)
    report(desk, 1, "T-1")
    report(desk, 1, "T-2")
    assert only(desk).minors == 1


def test_issues_of_no_task_of_a_tier_do_not_count_against_it() -> None:
    desk = desk_with(1)
    desk.directions(spec("t0", tier="setup"), spec("alone"))
    report(desk, 9, "T-2")
    report(desk, 9, "")
    assert only(desk).minors == 0


def test_a_task_that_was_given_up_allows_no_issues() -> None:
    desk = desk_with(2)
    desk.person("cancel", task="T-2")
    assert only(desk).minors_cap == 2


def test_a_task_that_failed_makes_its_tier_unclean_until_it_is_given_up() -> None:
    desk = desk_with(1)
    for _ in range(3):
        desk.fail("T-1")
    tier = only(desk)
    assert (tier.cleanliness, tier.has_ended) == ("not_clean", True)
    assert "callboard launch --again driver-1/t0" in str(tier.problems[0])
    desk.person("cancel", task="T-1")
    assert only(desk).cleanliness == "clean"


def test_standing_work_holds_no_end_of_a_tier() -> None:
    desk = desk_with(1)
    desk.directions(spec("t0", tier="setup"), spec("watch", tier="setup", standing=True))
    assert not only(desk).has_ended
    desk.person("cancel", task="T-1")
    assert only(desk).has_ended


def test_tiers_are_numbered_as_the_board_got_them() -> None:
    desk = Desk()
    desk.directions(spec("x", tier="b"), spec("y", tier="a"), spec("z", tier="b"), spec("alone"))
    found = [(tier.index, tier.name, [task.id for task in tier.tasks]) for tier in tiers(desk.board)]
    assert found == [(0, "b", ["T-1", "T-3"]), (1, "a", ["T-2"])]
