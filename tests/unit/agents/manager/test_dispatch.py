"""Which agent gets which task next."""

from __future__ import annotations

from datetime import date, timedelta

from desk_board import NOON, ROSTER, Desk, sha, spec

from callboard.agents.manager.dispatch import overlap
from callboard.bus.messages import TaskAssigned, TaskProgressed, TimerFired


def assigned(desk: Desk) -> dict[str, str]:
    """Agent -> key of what it was given."""
    return {task.agent: task.task.key for task in desk.board.tasks() if task.state in ("assigned", "working")}


def test_an_assignment_holds_all_that_its_agent_needs() -> None:
    desk = Desk()
    heard = desk.directions(spec("one"))
    body = heard.one(TaskAssigned)
    assert heard.to("driver-1") == [body]
    assert (body.spec.title, body.base, body.start, body.briefing.version) == ("one", sha("base"), sha("base"), "1")
    assert (desk.task("T-1").agent, desk.task("T-1").attempt) == ("driver-1", 1)
    assert (desk.agent("driver-1").state, desk.agent("driver-1").task) == ("working", "T-1")


def test_each_idle_driver_gets_one_task_at_a_time() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"), spec("three", "driver-2"))
    assert assigned(desk) == {"driver-1": "driver-1/one", "driver-2": "driver-2/three"}
    desk.accept("T-1")
    assert assigned(desk)["driver-1"] == "driver-1/one"
    desk.hand_in("T-1")
    assert assigned(desk)["driver-1"] == "driver-1/two"


def test_nothing_is_handed_out_to_an_agent_that_is_absent_or_no_driver() -> None:
    desk = Desk(started=False)
    desk.start("manager", "senior", "driver-2")
    desk.directions(spec("one"))
    assert assigned(desk) == {}
    desk.start("driver-1")
    assert assigned(desk) == {"driver-1": "driver-1/one"}


def test_the_more_urgent_comes_first_and_among_equals_the_order_of_the_file() -> None:
    desk = Desk(started=False)
    desk.directions(spec("later", priority=5), spec("first"), spec("second"), spec("urgent", priority=0))
    desk.start("driver-1")
    order = []
    for _ in range(4):
        [task] = [task for task in desk.board.tasks() if task.state == "assigned"]
        order.append(task.task.title)
        desk.hand_in(task.id)
    assert order == ["urgent", "first", "second", "later"]


def test_a_task_put_on_top_of_the_file_comes_first() -> None:
    desk = Desk(started=False)
    desk.directions(spec("old"), spec("older"))
    desk.directions(spec("new"), spec("old"), spec("older"))
    desk.start("driver-1")
    assert assigned(desk) == {"driver-1": "driver-1/new"}


def test_a_task_that_has_waited_gains_one_step_of_priority_an_hour() -> None:
    desk = Desk(started=False)
    desk.directions(spec("old", priority=3))
    desk.wait(minutes=119)
    desk.directions(spec("old", priority=3), spec("new", priority=2))
    desk.wait(minutes=1)
    desk.start("driver-1")
    assert assigned(desk) == {"driver-1": "driver-1/old"}


def test_before_it_has_waited_long_enough_the_urgent_one_is_first() -> None:
    desk = Desk(started=False)
    desk.directions(spec("old", priority=3))
    desk.wait(minutes=59)
    desk.directions(spec("old", priority=3), spec("new", priority=2))
    desk.start("driver-1")
    assert assigned(desk) == {"driver-1": "driver-1/new"}


def test_what_comes_back_from_the_gate_goes_before_new_work() -> None:
    desk = Desk()
    desk.directions(spec("one", priority=5))
    desk.hand_in("T-1")
    desk.directions(spec("one", priority=5), spec("two", priority=0), spec("three", priority=0))
    desk.gate("T-1", "red")
    assert assigned(desk) == {"driver-1": "driver-1/two"}
    desk.hand_in("T-2")
    assert assigned(desk) == {"driver-1": "driver-1/one"}
    assert desk.task("T-1").attempt == 2


def test_the_next_attempt_starts_from_the_work_of_the_last_with_what_was_learnt() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1", "first")
    body = desk.gate("T-1", "red").one(TaskAssigned)
    assert (body.base, body.start) == (sha("base"), sha("T-1 first"))
    assert [(note.source, note.text) for note in body.notes] == [("gate", "`make test` exited 1")]


def test_a_task_waits_until_what_it_depends_on_is_done() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2", depends_on=("driver-1/one",)))
    assert "driver-2" not in assigned(desk)
    desk.to_intent("T-1")
    assert "driver-2" not in assigned(desk)
    desk.land("T-1")
    assert assigned(desk) == {"driver-2": "driver-2/two"}
    assert desk.task("T-2").base == desk.run.head


def test_a_dependency_that_came_again_is_waited_for_again() -> None:
    desk = Desk()
    two = spec("two", "driver-2", depends_on=("driver-1/one",))
    desk.directions(spec("one"))
    desk.to_landed("T-1")
    desk.directions(spec("one", what="otherwise"), two)
    assert assigned(desk) == {"driver-1": "driver-1/one"}


def test_standing_work_counts_as_done_for_others_after_its_first_round() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("two", "driver-2", depends_on=("driver-1/watch",)))
    assert "driver-2" not in assigned(desk)
    desk.to_landed("T-1")
    assert assigned(desk) == {"driver-2": "driver-2/two"}


def test_standing_work_that_comes_again_is_not_taken_for_begun_work() -> None:
    desk = Desk()
    watch, keep = spec("watch", standing=True, priority=5), spec("keep the run open", "driver-2")
    desk.directions(watch, keep)
    desk.to_landed("T-1")
    desk.directions(watch, spec("one"), spec("two"), keep)
    desk.wait(hours=1)
    desk.hand_in("T-3")
    assert assigned(desk)["driver-1"] == "driver-1/two"


def test_standing_work_is_not_due_before_its_time_and_then_it_is() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    desk.hear(TaskProgressed(doing="thinking"), "driver-2", "T-2")
    assert desk.task("T-1").state == "queued"
    assert desk.fire(-1).one(TaskAssigned).spec.title == "watch"


def test_its_timer_makes_standing_work_due_even_where_this_clock_is_behind() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    heard = desk.hear(TimerFired(about="standing", subject="T-1 1"), "manager", "T-1")
    assert heard.one(TaskAssigned).spec.title == "watch"


def test_standing_work_does_not_come_early_where_this_clock_is_ahead() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    desk.wait(hours=100)
    assert desk.hear(TimerFired(about="standing", subject="T-1 0"), "manager", "T-1").of(TaskAssigned) == []
    assert desk.fire(-1).one(TaskAssigned).spec.title == "watch"


def test_work_that_stands_no_more_or_is_cancelled_leaves_no_timer_behind() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    assert [timer.key for timer in desk.timers if "standing" in timer.key] == ["standing T-1"]
    desk.directions(spec("keep the run open", "driver-2"))
    assert desk.states["T-1"] == "cancelled"
    assert [timer.key for timer in desk.timers if "standing" in timer.key] == []


def test_a_timer_of_an_earlier_round_does_not_hurry_the_next_one() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    due = desk.task("T-1").not_before
    heard = desk.hear(TimerFired(about="standing", subject="T-1 0"), "manager", "T-1")
    assert heard.of(TaskAssigned) == []
    assert desk.task("T-1").not_before == due


def test_after_a_long_stop_standing_work_comes_once_and_counts_its_time_anew() -> None:
    desk = Desk()
    desk.directions(spec("watch", standing=True), spec("keep the run open", "driver-2"))
    desk.to_landed("T-1")
    [tick] = [each for each in desk.timers if each.draft.body == TimerFired(about="standing", subject="T-1 1")]
    assert tick.after == timedelta(hours=1)
    desk.wait(hours=100)
    assert desk.fire(-1).one(TaskAssigned).spec.title == "watch"
    desk.to_landed("T-1")
    assert desk.task("T-1").rounds == 2
    assert desk.task("T-1").not_before == desk.now + timedelta(hours=1)


def test_standing_work_is_not_begun_after_its_last_day() -> None:
    desk = Desk(started=False)
    yesterday, today = NOON.date() - timedelta(days=1), NOON.date()
    over, last_day = spec("over", standing=True, until=yesterday), spec("last day", standing=True, until=today)
    desk.directions(over, last_day, spec("keep the run open", "driver-2"))
    desk.start("driver-1")
    assert assigned(desk) == {"driver-1": "driver-1/last day"}


def test_a_last_day_says_nothing_about_work_that_is_not_standing() -> None:
    desk = Desk()
    desk.directions(spec("one", until=date(2020, 1, 1)))
    assert assigned(desk) == {"driver-1": "driver-1/one"}


def test_the_tasks_of_an_agent_that_is_down_go_to_any_driver() -> None:
    desk = Desk(started=False)
    desk.directions(spec("one"))
    desk.start("driver-2")
    assert assigned(desk) == {}
    desk.down("driver-1")
    assert assigned(desk) == {"driver-2": "driver-1/one"}


def test_the_tasks_of_an_agent_that_left_the_roster_go_to_any_driver() -> None:
    desk = Desk(started=False)
    desk.directions(spec("one"), spec("two"))
    desk.start("driver-1")
    desk.launch({name: role for name, role in ROSTER.items() if name != "driver-1"})
    desk.directions()
    desk.start("driver-2")
    assert assigned(desk) == {"driver-2": "driver-1/one"}
    assert desk.states == {"T-1": "assigned", "T-2": "queued"}


def test_a_task_whose_paths_another_open_task_claims_is_handed_out_with_a_warning() -> None:
    desk = Desk()
    heard = desk.directions(spec("one", paths=("src/*",)), spec("two", "driver-2", paths=("src/a.py", "docs/*")))
    assert [text for text in heard.logged if "may collide" in text] == [
        "T-2 two: may collide with T-1\nboth may touch `src/a.py`\n"
    ]


def test_there_is_no_warning_about_tasks_that_wait_or_are_blocked() -> None:
    desk = Desk()
    desk.directions(spec("one", paths=("src/*",)), spec("queued", paths=("src/*",)))
    desk.blocked("T-1")
    heard = desk.directions(
        spec("one", paths=("src/*",)), spec("queued", paths=("src/*",)), spec("x", "driver-2", paths=("src/b.py",))
    )
    assert [text for text in heard.logged if "may collide with T-1" in text] == []


def test_what_another_has_handed_in_and_not_landed_is_named_file_by_file() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2", paths=("*.py",)), spec("three", paths=("a.py",)))
    desk.hand_in("T-1")
    heard = desk.gate("T-1")
    assert [text for text in heard.logged if "may collide" in text] == []
    desk.blocked("T-3")
    desk.hand_in("T-2")
    heard = desk.person("answer", question="q-1", text="go on")
    warned = [text for text in heard.logged if "may collide" in text]
    assert "T-3 two: may collide with T-1\nit has changed `a.py`\n" in warned


def test_patterns_overlap_whichever_side_has_the_wildcard() -> None:
    assert overlap(("src/a.py", "docs/b.md"), ("src/*",)) == ["src/a.py"]
    assert overlap(("src/**",), ("src/deep/a.py",)) == ["src/**"]
    assert overlap(("a.py",), ("b.py",)) == []
    assert overlap((), ("b.py",)) == []


def test_nothing_is_handed_out_while_the_run_is_paused() -> None:
    desk = Desk()
    desk.person("pause")
    desk.directions(spec("one"))
    assert assigned(desk) == {}
    desk.person("resume")
    assert assigned(desk) == {"driver-1": "driver-1/one"}


def test_deciding_a_message_twice_gives_the_same() -> None:
    desk = Desk()
    before = desk.board
    message = desk.message(TaskProgressed(doing="x"), "driver-1")
    first = desk.decide(message)
    desk.board = before
    assert desk.decide(message) == first
