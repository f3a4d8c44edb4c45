"""How tasks join the board, change while they wait, and leave it."""

from __future__ import annotations

import pytest
from desk_board import ROSTER, Desk, spec

from callboard.bus.board import BriefingDoc
from callboard.bus.messages import DirectionFile, DirectionsRead, TaskAssigned
from callboard.bus.task import Briefing, TaskSpec

WAITS = "waiting for legal"


def waiting(*specs: TaskSpec) -> Desk:
    """A desk where nobody has begun on anything."""
    desk = Desk(started=False)
    desk.directions(*specs)
    return desk


def test_a_new_task_joins_the_board_with_the_next_id() -> None:
    desk = waiting(spec("one"))
    desk.directions(spec("one"), spec("two"))
    assert desk.states == {"T-1": "queued", "T-2": "queued"}
    assert desk.task("T-2").task.title == "two"


def test_reading_the_same_again_changes_nothing() -> None:
    desk = waiting(spec("one", blocked_by=WAITS), spec("two"))
    heard = desk.directions(spec("one", blocked_by=WAITS), spec("two"))
    assert (heard.outcome.changes, heard.outcome.messages) == ((), ())


def test_a_task_nobody_has_begun_on_follows_its_file() -> None:
    desk = waiting(spec("one"))
    desk.directions(spec("one", what="otherwise"))
    assert desk.states == {"T-1": "queued"}
    assert desk.task("T-1").task.what == "otherwise"


def test_a_task_that_was_begun_finishes_as_it_was_given() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.directions(spec("one", what="otherwise"))
    assert desk.states == {"T-1": "assigned"}
    assert desk.task("T-1").task.what == ""


def test_that_a_task_finishes_as_it_was_given_is_logged_once_for_each_edit() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    logged = [
        [said.splitlines()[0] for said in desk.directions(spec("one", what=text)).logged]
        for text in ("otherwise", "otherwise", "", "again")
    ]
    assert logged == [["T-1 one: finishes as it was given"], [], [], ["T-1 one: finishes as it was given"]]


def test_a_task_that_was_begun_stays_when_its_file_loses_it() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.directions()
    assert desk.states == {"T-1": "assigned"}


def test_a_task_nobody_has_begun_on_is_cancelled_when_its_file_loses_it() -> None:
    desk = waiting(spec("one"), spec("two"))
    desk.directions(spec("two"))
    assert desk.states == {"T-1": "cancelled", "T-2": "queued"}
    assert desk.task("T-1").reason == "it is no longer in directions/driver-1.md"


def test_a_task_that_waited_for_a_person_is_cancelled_with_its_question() -> None:
    desk = waiting(spec("one", blocked_by=WAITS))
    desk.directions()
    assert (desk.states["T-1"], desk.question("q-1").state, desk.blocker("B-1").state) == (
        "cancelled",
        "closed",
        "closed",
    )


def test_a_task_comes_back_with_its_text_after_an_editor_had_emptied_the_file() -> None:
    desk = waiting(spec("one"), spec("two", blocked_by=WAITS), spec("three", depends_on=("driver-1/one",)))
    desk.directions()
    assert set(desk.states.values()) == {"cancelled"}
    desk.directions(spec("one"), spec("two", blocked_by=WAITS), spec("three", depends_on=("driver-1/one",)))
    assert desk.states == {"T-1": "queued", "T-2": "blocked", "T-3": "queued"}
    assert desk.question(desk.task("T-2").question).state == "open"


def test_what_a_person_cancelled_does_not_come_back_with_its_text() -> None:
    desk = waiting(spec("one"), spec("two"))
    desk.person("cancel", task="T-1")
    desk.directions(spec("two"))
    desk.directions(spec("one"), spec("two"))
    assert desk.states == {"T-1": "cancelled", "T-2": "queued"}


def test_a_removed_task_that_comes_back_reopens_a_run_that_had_ended() -> None:
    desk = Desk()
    desk.person("pause")
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.directions(spec("one"))
    desk.person("resume")
    desk.to_landed("T-1")
    assert desk.run.state == "succeeded"
    desk.directions(spec("one"), spec("two", "driver-2"))
    assert (desk.run.state, desk.states["T-2"]) == ("running", "assigned")


@pytest.mark.parametrize("end", ["done", "failed", "cancelled"])
def test_a_task_that_ended_comes_again_once_its_text_has_changed(end: str) -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 1}))
    if end == "done":
        desk.to_landed("T-1")
    elif end == "failed":
        desk.fail("T-1")
    else:
        desk.person("cancel", task="T-1")
    desk.directions(spec("one", budget={"attempts": 1}))
    assert desk.states == {"T-1": end}
    desk.directions(spec("one", budget={"attempts": 1}, what="otherwise"))
    assert desk.states == {"T-1": end, "T-2": "assigned"}
    assert (desk.run.state, desk.task("T-2").attempt, desk.task("T-2").spent) == ("running", 1, 0)


def test_what_landed_in_an_earlier_run_is_done_until_its_text_changes() -> None:
    desk = Desk()
    one = spec("one")
    heard = desk.directions(one, spec("two", "driver-2"), landed={"driver-1/one": one.digest, "driver-2/two": "0" * 16})
    assert desk.states == {"T-1": "done", "T-2": "assigned"}
    assert [body.spec.title for body in heard.of(TaskAssigned)] == ["two"]


def test_a_run_whose_tasks_were_all_done_before_has_succeeded_at_once() -> None:
    desk = Desk()
    desk.directions(spec("one"), landed={"driver-1/one": spec("one").digest})
    assert desk.run.state == "succeeded"


def test_a_file_that_cannot_be_read_leaves_its_tasks_and_what_they_share_as_they_were() -> None:
    desk = waiting(spec("one"))
    problem = "directions/driver-1.md:1: not UTF-8"
    broken = DirectionFile(
        briefing=Briefing(agent="driver-1", version="", path="directions/driver-1.md"), tasks=(), problems=(problem,)
    )
    read = DirectionsRead(files=(broken,), unreadable=("directions/driver-1.md",))
    heard = desk.hear(read, "manager")
    assert desk.states == {"T-1": "queued"}
    briefing = desk.board.get("briefing:driver-1", BriefingDoc).briefing
    assert briefing is not None
    assert briefing.version == "1"
    assert [text for text in heard.logged if problem in text]
    assert desk.hear(read, "manager").logged == [], "it is said once"


def test_a_file_that_can_be_read_again_is_logged_with_its_version() -> None:
    desk = waiting(spec("one"))
    heard = desk.directions(spec("one"), version="2")
    assert "read directions/driver-1.md, version 2\n1 task\n" in heard.logged


def test_problems_of_a_file_are_logged() -> None:
    desk = Desk()
    file = DirectionFile(
        briefing=Briefing(agent="driver-1", version="1", path="directions/driver-1.md"),
        tasks=(spec("one"),),
        problems=("directions/driver-1.md:7: Priority 'P9' is not P0 to P5",),
    )
    heard = desk.hear(DirectionsRead(files=(file,)), "manager")
    assert "directions/driver-1.md:7: Priority 'P9'" in heard.logged[0]


def test_waiting_tasks_of_an_agent_that_left_the_roster_stay() -> None:
    desk = waiting(spec("one"))
    desk.launch({name: role for name, role in ROSTER.items() if name != "driver-1"})
    desk.directions()
    assert desk.states == {"T-1": "queued"}


def test_standing_work_follows_its_file_between_its_rounds() -> None:
    desk = Desk()
    keep = spec("keep the run open", "driver-2")
    desk.directions(spec("watch", standing=True), keep)
    desk.to_landed("T-1")
    desk.directions(spec("watch", standing=True, what="more"), keep)
    assert (desk.states["T-1"], desk.task("T-1").task.what) == ("queued", "more")
    desk.directions(spec("watch", what="once"), keep)
    assert desk.states["T-1"] == "assigned", "it is not standing any more, so it waits for no time"
    desk.directions(keep)
    assert desk.states["T-1"] == "assigned"


def test_standing_work_between_its_rounds_goes_with_its_file() -> None:
    desk = Desk()
    keep = spec("keep the run open", "driver-2")
    desk.directions(spec("watch", standing=True), keep)
    desk.to_landed("T-1")
    desk.directions(keep)
    assert desk.states["T-1"] == "cancelled"


def test_a_persons_task_is_in_no_file_and_stays() -> None:
    desk = Desk(started=False)
    desk.person("assign", spec=TaskSpec(key="driver-1/x", title="x", agent="driver-1"))
    desk.directions()
    assert desk.states == {"T-1": "queued"}


def test_three_hundred_tasks_with_dependencies_are_decided_in_a_moment() -> None:
    chain = [spec(f"t{n}", priority=n % 6, depends_on=(f"driver-1/t{n - 1}",) if n % 3 else ()) for n in range(300)]
    desk = Desk()
    desk.directions(*chain)
    assert list(desk.states.values()).count("assigned") == 1
    assert desk.person("pause").reply.ok
