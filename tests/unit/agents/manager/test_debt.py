"""Old issues become tasks, as many as may be made, and are closed by them."""

from __future__ import annotations

import pytest
from desk_board import NOON, ROSTER, Desk, spec

from callboard.agents.manager.debt import made
from callboard.bus.board import TaskDoc
from callboard.bus.caps import Limits
from callboard.bus.issue_caps import IssueLimits
from callboard.bus.issues import IssueDoc, Kept
from callboard.bus.messages import BacklogCarried, FeedbackLogged


def desk_with(old: int, *, young: int = 0, by: str = "driver-2", most: int = 25) -> Desk:
    desk = Desk(started=False)
    desk.launch(limits=Limits(made_tasks=most, issues=IssueLimits(clean_up_by=by)))
    desk.start(*ROSTER)
    desk.directions(spec("one"))
    issues = [issue(n, age_runs=4 if n < old else 3) for n in range(old + young)]
    desk.hear(BacklogCarried(run="before", issues=tuple(issues)), "manager")
    return desk


def issue(number: int, **values: object) -> Kept:
    made = Kept(
        key=f"review__slow_{number:02}",
        title=f"it is slow {number}",
        category="review",
        severity="minor",
        first_run="first",
        last_run="before",
        first_at=NOON,
        last_at=NOON,
        count=1,
        age_runs=4,
        age_tiers=0,
    )
    return made.model_copy(update=values)


def tasks(desk: Desk) -> list[TaskDoc]:
    return [task for task in desk.board.tasks() if task.task.source.kind == "debt"]


def known(desk: Desk, number: int = 0) -> IssueDoc:
    return desk.board.get(f"issue:review__slow_{number:02}", IssueDoc)


def test_an_old_issue_becomes_a_task_of_the_driver_that_cleans_up() -> None:
    desk = desk_with(1, young=1)
    [task] = tasks(desk)
    assert (task.task.key, task.task.agent, task.state) == ("driver-2/clean-up-review--slow-00", "driver-2", "assigned")
    assert "it is slow 0" in task.task.what
    assert known(desk).clean_up == task.id
    assert known(desk, 1).clean_up == "", "three runs are not too old"


@pytest.mark.parametrize("by", ["", "nobody", "senior"])
def test_without_a_driver_that_cleans_up_old_issues_only_count(by: str) -> None:
    assert tasks(desk_with(1, by=by)) == []


def test_a_grave_issue_is_no_task_for_its_age() -> None:
    desk = desk_with(0)
    desk.hear(BacklogCarried(run="before"), "manager")
    assert tasks(desk) == []


@pytest.mark.parametrize(("old", "found"), [(24, 24), (25, 25), (26, 25)])
def test_twenty_five_tasks_may_be_made_and_peoples_are_not_counted(old: int, found: int) -> None:
    desk = desk_with(old)
    assert (made(desk.board), len(desk.board.tasks())) == (found, found + 1)


def test_that_no_more_may_be_made_is_said_once() -> None:
    desk = desk_with(3, most=2)
    desk.wait(hours=1)
    told = desk.directions(spec("one"), spec("two")).of(FeedbackLogged)
    assert desk.board.tracker.is_full_told
    assert not any("no more may be" in entry.title for entry in told)


def test_an_issue_whose_task_is_done_is_closed_and_one_whose_task_failed_is_not() -> None:
    desk = desk_with(2)
    first, second = (task.id for task in tasks(desk))
    desk.to_landed(first)
    assert (known(desk, 0).state, known(desk, 0).closed_because) == ("closed", f"cleaned up by {first}")
    for _ in range(3):
        desk.fail(second)
    assert (desk.states[second], known(desk, 1).state) == ("failed", "open")
    assert len(tasks(desk)) == 2, "it is tried once in a run"
