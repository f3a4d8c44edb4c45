"""What stands in the way of a task before anybody began on it is seen by people, and goes with its cause."""

from __future__ import annotations

from desk_board import ROSTER, Desk, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.messages import BlockerResolved


def test_a_status_that_says_waiting_blocks_the_task_with_that_text() -> None:
    desk = Desk()
    desk.directions(spec("one", blocked_by="waiting for legal"), spec("two"))
    assert desk.states == {"T-1": "blocked", "T-2": "assigned"}
    assert (desk.blocker("B-1").what, desk.blocker("B-1").question) == ("waiting for legal", "q-1")
    assert "waiting for legal" in desk.question("q-1").text


def test_a_person_releases_it_and_the_answer_is_told() -> None:
    desk = Desk()
    desk.directions(spec("one", blocked_by="waiting for legal"))
    heard = desk.person("answer", question="q-1", text="they agreed")
    assert heard.one(BlockerResolved).answer == "they agreed"
    assert (desk.states["T-1"], desk.blocker("B-1").state) == ("assigned", "resolved")
    assert "they agreed" in desk.task("T-1").notes[0].text


def test_what_a_person_released_is_not_blocked_again_by_the_same_text() -> None:
    desk = Desk(started=False)
    desk.directions(spec("one", blocked_by="waiting for legal"))
    desk.person("answer", question="q-1", text="go")
    desk.directions(spec("one", blocked_by="waiting for legal", what="more"))
    assert desk.states == {"T-1": "queued"}
    desk.directions(spec("one", blocked_by="waiting for the bank"))
    assert desk.states == {"T-1": "blocked"}


def test_another_reason_to_wait_is_another_question() -> None:
    desk = Desk()
    desk.directions(spec("one", blocked_by="waiting for legal"))
    desk.directions(spec("one", blocked_by="waiting for the bank"))
    assert (desk.question("q-1").state, desk.question("q-2").state) == ("closed", "open")
    assert (desk.task("T-1").reason, desk.task("T-1").question) == ("waiting for the bank", "q-2")


def test_a_status_that_no_longer_says_waiting_releases_it() -> None:
    desk = Desk()
    desk.directions(spec("one", blocked_by="waiting for legal"))
    desk.directions(spec("one"))
    assert desk.states == {"T-1": "assigned"}
    assert (desk.question("q-1").state, desk.blocker("B-1").state) == ("closed", "closed")


def test_a_dependency_that_no_task_has_as_its_key_is_a_blocker_that_people_see() -> None:
    desk = Desk()
    desk.directions(spec("one", depends_on=("driver-2/typo",)))
    assert desk.states == {"T-1": "blocked"}
    assert desk.task("T-1").reason == "it depends on driver-2/typo, which no task has as its key"
    assert desk.question("q-1").state == "open"
    assert outlook(desk.board) == "people"


def test_it_goes_on_by_itself_once_there_is_such_a_task() -> None:
    desk = Desk(started=False)
    one = spec("one", depends_on=("driver-2/late",))
    desk.directions(one)
    desk.directions(one, spec("late", "driver-2"))
    assert desk.states == {"T-1": "queued", "T-2": "queued"}
    assert desk.question("q-1").state == "closed"
    desk.start("driver-1")
    assert desk.states["T-1"] == "queued", "now it waits for its dependency"


def test_a_person_may_let_it_go_on_without_the_dependency() -> None:
    desk = Desk()
    desk.directions(spec("one", depends_on=("driver-2/typo",)))
    desk.person("answer", question="q-1", text="go on without")
    assert desk.states == {"T-1": "assigned"}


def test_tasks_that_depend_on_one_another_are_blocked_and_one_answer_frees_both() -> None:
    desk = Desk()
    first, second = spec("a", depends_on=("driver-2/b",)), spec("b", "driver-2", depends_on=("driver-1/a",))
    desk.directions(first, second)
    assert desk.states == {"T-1": "blocked", "T-2": "blocked"}
    assert desk.task("T-1").reason == "it depends on driver-2/b, which depends on it in turn"
    desk.person("answer", question="q-1", text="a goes first")
    assert desk.states == {"T-1": "assigned", "T-2": "queued"}
    assert desk.question("q-2").state == "closed"
    desk.to_landed("T-1")
    assert desk.states["T-2"] == "assigned"


def test_a_task_behind_a_circle_only_waits() -> None:
    desk = Desk()
    circle = spec("a", depends_on=("driver-1/b",)), spec("b", depends_on=("driver-1/a",))
    desk.directions(*circle, spec("c", depends_on=("driver-1/a",)))
    assert desk.states == {"T-1": "blocked", "T-2": "blocked", "T-3": "queued"}


def test_a_task_for_an_agent_that_is_no_driver_is_blocked_until_somebody_says_that_any_driver_may_take_it() -> None:
    desk = Desk()
    desk.directions(spec("one", "senior"))
    assert desk.states == {"T-1": "blocked"}
    assert desk.task("T-1").reason == "it is a task for senior, a reviewer, and only drivers take tasks"
    desk.person("answer", question="q-1", text="any driver")
    assert (desk.states["T-1"], desk.task("T-1").agent) == ("assigned", "driver-1")


def test_the_waiting_tasks_of_a_driver_that_became_a_reviewer_are_blocked() -> None:
    desk = Desk(started=False)
    desk.directions(spec("one"))
    desk.launch({**ROSTER, "driver-1": "reviewer"})
    assert desk.states == {"T-1": "blocked"}
    desk.launch(ROSTER)
    assert desk.states == {"T-1": "queued"}


def test_begun_work_of_a_driver_that_became_a_reviewer_goes_to_another_driver() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    desk.launch({**ROSTER, "driver-1": "reviewer"})
    desk.gate("T-1", "red")
    assert desk.states == {"T-1": "changes_requested"}
    desk.start("driver-2")
    assert (desk.states["T-1"], desk.task("T-1").agent) == ("assigned", "driver-2")


def test_several_obstacles_are_one_question() -> None:
    desk = Desk()
    desk.directions(spec("one", blocked_by="waiting", depends_on=("driver-2/typo",)))
    assert desk.task("T-1").reason == "waiting; it depends on driver-2/typo, which no task has as its key"
    desk.person("answer", question="q-1", text="go")
    assert desk.states == {"T-1": "assigned"}


def test_what_an_agent_was_blocked_by_is_not_touched_by_the_file() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.blocked("T-1")
    desk.directions(spec("one", what="otherwise"))
    assert (desk.states["T-1"], desk.blocker("B-1").state) == ("blocked", "open")


def test_begun_work_is_not_blocked_by_what_its_file_says_later() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    desk.directions(spec("one", blocked_by="waiting"))
    desk.gate("T-1", "red")
    assert desk.states == {"T-1": "assigned"}
