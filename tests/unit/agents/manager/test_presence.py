"""Agents come, say what they do, and go."""

from __future__ import annotations

from desk_board import REVIEWERS, ROSTER, Desk, sha, spec

from callboard.bus.messages import (
    AgentStarted,
    AgentStopped,
    AgentUnreachable,
    CommandHandled,
    EvidenceSubmitted,
    FeedbackLogged,
    TaskAccepted,
    TaskAssigned,
    TaskCancelled,
    TaskProgressed,
)

WITHOUT_1 = {name: role for name, role in ROSTER.items() if name != "driver-1"}


def test_a_launch_names_the_roster_and_begins_the_run() -> None:
    desk = Desk(started=False)
    assert desk.run.state == "running"
    assert {name: desk.agent(name).role for name in ROSTER} == dict(ROSTER)
    assert {desk.agent(name).state for name in ROSTER} == {"absent"}


def test_the_roster_says_what_an_agent_is_not_the_agent() -> None:
    desk = Desk(started=False)
    desk.hear(AgentStarted(role="reviewer", pid=7, host="h"), "driver-1")
    assert (desk.agent("driver-1").role, desk.agent("driver-1").pid) == ("driver", 7)


def test_an_agent_that_comes_back_goes_on_with_what_it_holds() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.accept("T-1")
    desk.launch()
    assert desk.agent("driver-1").state == "absent"
    heard = desk.start("driver-1")
    assert heard.of(TaskAssigned) == [], "its message is still in its inbox"
    assert (desk.agent("driver-1").state, desk.agent("driver-1").task) == ("working", "T-1")
    assert desk.states == {"T-1": "working", "T-2": "queued"}


def test_evidence_from_before_a_restart_still_counts() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.launch()
    desk.hand_in("T-1")
    assert (desk.states["T-1"], desk.agent("driver-1").state) == ("gate", "absent")
    desk.start("driver-1")
    assert desk.agent("driver-1").state == "idle"


def test_an_agent_that_stopped_keeps_its_task_and_gets_no_other() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.hear(AgentStopped(reason="the roster stops"), "driver-1")
    assert (desk.agent("driver-1").state, desk.states["T-1"]) == ("absent", "assigned")


def test_progress_is_shown_and_dated() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.accept("T-1")
    desk.wait(minutes=3)
    desk.hear(TaskProgressed(doing="running tests"), "driver-1", "T-1")
    agent = desk.agent("driver-1")
    assert (agent.doing, agent.progress_at, desk.states["T-1"]) == ("running tests", desk.now, "working")


def test_the_task_of_an_agent_that_is_down_is_requeued_said_once_and_taken_by_another() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.accept("T-1")
    heard = desk.down("driver-1")
    assert [text for text in heard.logged if "driver-1 is down" in text and "assigned" not in text] == [
        "driver-1 is down\nit died\n"
    ]
    assert heard.to("driver-1") == [TaskCancelled(reason="driver-1 is down: it died")]
    assert [type(body) for body in heard.to("driver-2")] == [TaskAssigned]
    task = desk.task("T-1")
    assert (task.agent, task.attempt, task.spent) == ("driver-2", 2, 0)
    assert (desk.agent("driver-1").state, desk.agent("driver-1").task) == ("down", "")


def test_what_an_agent_that_was_down_says_about_its_old_message_is_not_believed() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.down("driver-1")
    desk.launch()
    desk.start("driver-1")
    before = desk.board.docs
    for body in (TaskAccepted(), EvidenceSubmitted(head=sha("old"))):
        heard = desk.hear(body, "driver-1", "T-1", attempt=1)
        assert heard.refusal == "driver-1 does not hold attempt 1 of T-1 now"
    assert desk.board.docs == before


def test_an_agent_that_was_down_has_another_chance_at_the_next_launch() -> None:
    desk = Desk()
    desk.down("driver-1")
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.launch()
    desk.start("driver-1", "driver-2")
    assert desk.agent("driver-1").state == "idle"


def test_an_agent_that_is_down_with_nothing_in_its_hands_takes_nothing_along() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    heard = desk.down("senior")
    assert heard.of(TaskCancelled) == []
    assert desk.states == {"T-1": "assigned"}


def test_the_open_task_of_an_agent_that_left_the_roster_is_requeued_for_any_driver() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.blocked("T-1", head=sha("half"))
    desk.person("answer", question="q-1", text="x")
    assert desk.states == {"T-1": "assigned"}
    desk.launch(WITHOUT_1)
    assert (desk.states, desk.task("T-1").pin) == ({"T-1": "queued"}, sha("half"))
    body = desk.start("driver-2").one(TaskAssigned)
    assert (body.start, desk.agent("driver-1").role) == (sha("half"), "")


def test_work_of_an_agent_that_left_is_judged_on_and_sent_back_to_another() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    desk.launch(WITHOUT_1)
    desk.start("driver-2")
    desk.gate("T-1", "red")
    assert (desk.states["T-1"], desk.task("T-1").agent) == ("assigned", "driver-2")


def test_a_driver_that_became_a_reviewer_gives_its_task_back() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    heard = desk.launch({**ROSTER, "driver-1": "reviewer"})
    assert heard.to("driver-1") == [TaskCancelled(reason="driver-1 is a reviewer now")]
    assert (desk.states["T-1"], desk.task("T-1").agent) == ("queued", "")


def test_a_requeued_task_can_be_cancelled_although_nobody_has_it() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.down("driver-2", "driver-1")
    assert desk.person("cancel", task="T-1").one(CommandHandled).ok
    assert desk.states == {"T-1": "cancelled"}


def test_a_launch_may_ask_for_a_task_once_more() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2", budget={"attempts": 1}))
    desk.to_landed("T-1")
    desk.fail("T-2")
    desk.launch(again=("driver-2/two", "driver-9/unknown"))
    desk.start(*ROSTER)
    assert desk.states == {"T-1": "done", "T-2": "failed", "T-3": "assigned"}
    assert desk.run.state == "running"
    desk.launch(again=("driver-2/two",))
    assert len(desk.states) == 3, "it is open already"


def test_the_managers_start_is_logged_with_its_facts() -> None:
    desk = Desk(started=False)
    heard = desk.hear(AgentStarted(role="manager", pid=1, host="h", facts=("1. rules: none",)), "manager")
    assert heard.logged == ["manager at its desk\n1. rules: none\n"]


def test_reviewers_count_by_the_roster_not_by_who_is_there() -> None:
    desk = Desk(started=False)
    desk.start("driver-1")
    desk.directions(spec("one"))
    desk.to_review("T-1")
    assert desk.task("T-1").reviewers == REVIEWERS


def test_the_board_says_who_sits_where() -> None:
    desk = Desk()
    assert (desk.agent("senior").seat, desk.agent("driver-1").seat) == ("senior", "")
    desk.launch(seats={"junior-1": "senior"})
    assert (desk.agent("junior-1").seat, desk.agent("senior").seat) == ("senior", ""), "a launch says it anew"


def test_a_changed_direction_is_acknowledged_with_its_version_at_the_next_task_and_once() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    told = []
    for version in ("00aa", "00aa", "00bb"):
        heard = desk.hear(TaskAccepted(direction=version), "driver-1", "T-1")
        told.append([entry.title for entry in heard.of(FeedbackLogged) if "version" in entry.title])
    assert told == [
        [f"T-1 one: driver-1 works by version {name} of its direction"] if name else [] for name in ("00aa", "", "00bb")
    ]
    assert desk.agent("driver-1").direction == "00bb"


def test_a_process_that_takes_the_place_of_another_is_told_of_with_what_it_goes_on_with() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    assert not any("another process" in line for line in desk.launch().logged + desk.start("driver-1").logged)
    heard = desk.hear(AgentUnreachable(agent="driver-1", reason="nothing was heard of it for 60 s"), "launcher")
    assert heard.logged == [
        "driver-1 cannot be reached\nnothing was heard of it for 60 s\nit is ended and started again\n"
    ]
    (line,) = [line for line in desk.start("driver-1").logged if "another process" in line]
    assert "ended without a word" in line
    assert "it goes on with T-1" in line
