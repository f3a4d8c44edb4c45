"""Agents that cannot think for a while: they get nothing, the others go on, and everything comes back by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from desk_board import NOON, REVIEWERS, ROSTER, Desk, sha, spec

from callboard.agents.manager.outlook import outlook
from callboard.agents.manager.parking import INTERRUPTED, LONGEST, SHORTEST, UNSAID
from callboard.bus.messages import AttemptParked, PinRequested, ReviewRequested, TaskAssigned


def two_drivers() -> Desk:
    desk = Desk()
    desk.directions(spec("one"), spec("two"), spec("three", "driver-2"), spec("four", "driver-2"))
    return desk


def in_review() -> Desk:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_review("T-1")
    desk.timers.clear()
    return desk


def test_a_parked_agent_gets_nothing_and_the_others_go_on() -> None:
    desk = two_drivers()
    heard = desk.park("T-1", minutes=30)
    assert desk.states["T-1"] == desk.states["T-2"] == "queued"
    assert desk.agent("driver-1").parked_until == NOON + timedelta(minutes=30)
    assert any("driver-1 is parked until 2026-03-02 12:30:00Z" in text for text in heard.logged)
    assert desk.blocked("T-3").one(TaskAssigned).spec.title == "four"
    assert outlook(desk.board) == "moving"


def test_the_task_goes_on_from_its_pin_when_the_time_has_come_and_no_attempt_is_spent() -> None:
    desk = two_drivers()
    assert desk.park("T-1", head=sha("half"), minutes=30).one(PinRequested).commit == sha("half")
    body = desk.fire().one(TaskAssigned)
    assert (body.spec.title, body.start) == ("one", sha("half"))
    assert [note.text for note in body.notes] == [INTERRUPTED]
    task, agent = desk.task("T-1"), desk.agent("driver-1")
    assert (task.attempt, task.spent, task.reason) == (2, 0, "")
    assert (agent.state, agent.parked_until, agent.parked_for) == ("working", None, "")


def test_a_task_that_is_parked_often_is_told_so_once() -> None:
    desk = two_drivers()
    for n in range(3):
        desk.park("T-1", head=sha(f"half {n}"), minutes=1)
        desk.fire()
    assert [note.text for note in desk.task("T-1").notes] == [INTERRUPTED]


def test_the_timer_counts_also_where_this_clock_is_behind() -> None:
    desk = two_drivers()
    desk.park("T-1", minutes=30)
    desk.wait(minutes=-40)
    assert desk.fire().one(TaskAssigned).spec.title == "one"


def test_any_message_after_the_time_wakes_it_too_and_the_timer_is_then_late() -> None:
    desk = two_drivers()
    desk.park("T-1", minutes=30)
    desk.wait(minutes=31)
    assert "one" in {body.spec.title for body in desk.blocked("T-3").of(TaskAssigned)}
    desk.park("T-1", minutes=30)
    desk.wait(minutes=-30)
    desk.fire()  # of the first parking
    assert desk.agent("driver-1").parked_until is not None
    assert desk.states["T-1"] == "queued"


def test_a_restart_of_everything_leaves_it_parked() -> None:
    desk = two_drivers()
    desk.park("T-1", minutes=30)
    desk.launch()
    desk.start(*ROSTER)
    desk.directions(spec("one"), spec("two"), spec("three", "driver-2"), spec("four", "driver-2"))
    assert desk.states["T-1"] == "queued"
    assert desk.fire().one(TaskAssigned).spec.title == "one"


@pytest.mark.parametrize(
    ("until", "waits"),
    [(None, UNSAID), (NOON - timedelta(seconds=5), SHORTEST), (NOON + timedelta(days=4_000), LONGEST)],
    ids=["unsaid", "past", "never"],
)
def test_a_strange_time_is_bounded(until: datetime | None, waits: timedelta) -> None:
    desk = two_drivers()
    desk.hear(AttemptParked(cause="rate_limit", detail="at its limit", until=until), "driver-1", "T-1")
    assert desk.agent("driver-1").parked_until == NOON + waits
    assert desk.timers[-1].after == waits


def test_resume_tries_again_at_once() -> None:
    desk = two_drivers()
    desk.park("T-1", minutes=30)
    heard = desk.person("resume")
    assert heard.reply.ok
    assert heard.reply.text == "driver-1 tries again now"
    assert heard.one(TaskAssigned).spec.title == "one"


def test_a_dead_provider_pauses_the_run_with_what_was_tried() -> None:
    desk = two_drivers()
    desk.park("T-1", "provider", head=sha("half"))
    assert (desk.run.state, desk.run.reason, desk.run.detail) == ("paused", "provider", "at its limit")
    assert desk.states["T-1"] == "queued"
    assert outlook(desk.board) == "moving"  # driver-2 still holds a task
    assert not desk.park("T-3", "provider").logged  # it is said once
    assert outlook(desk.board) == "people"
    heard = desk.person("resume")
    assert {(body.spec.title, body.start) for body in heard.of(TaskAssigned)} == {
        ("one", sha("half")),
        ("three", desk.run.head),
    }
    assert desk.task("T-1").spent == 0


def test_a_spent_budget_pauses_the_run() -> None:
    desk = two_drivers()
    desk.park("T-1", "budget")
    assert (desk.run.state, desk.run.reason) == ("paused", "budget")


def test_what_a_parked_agent_no_longer_holds_is_only_written_down() -> None:
    desk = two_drivers()
    desk.park("T-1", minutes=30)
    body = AttemptParked(cause="rate_limit", detail="again", until=None)
    assert "does not hold" in desk.hear(body, "driver-1", "T-1").refusal


def test_a_review_waits_for_a_reviewer_at_its_limit_and_only_who_is_missing_is_asked_again() -> None:
    desk = in_review()
    desk.vote("T-1", "junior-1")
    desk.cannot_vote("T-1", "senior", minutes=30)
    assert desk.agent("senior").parked_until == NOON + timedelta(minutes=30)
    assert desk.task("T-1").reason == "waits for senior: at its limit"
    heard = desk.fire()
    asked = {name for name in REVIEWERS if any(isinstance(body, ReviewRequested) for body in heard.to(name))}
    assert asked == {"senior", "junior-2"}
    assert heard.of(ReviewRequested)[0].deadline == desk.now + desk.policy.review_deadline
    desk.vote("T-1", "senior")
    desk.vote("T-1", "junior-2")
    assert desk.states["T-1"] == "merging"


def test_a_deadline_that_passes_meanwhile_is_nobodys_failure() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_review("T-1")
    desk.cannot_vote("T-1", "senior", hours=5)
    for _ in range(2):
        desk.fire()  # the review's deadline, then the parking
    assert (desk.states["T-1"], desk.task("T-1").unanswered) == ("review", 0)
    assert desk.task("T-1").review.endswith(".2")


def test_a_dead_provider_of_a_reviewer_pauses_the_run_and_resume_asks_again() -> None:
    desk = in_review()
    desk.cannot_vote("T-1", "senior", "provider")
    assert (desk.run.state, desk.run.reason) == ("paused", "provider")
    heard = desk.person("resume")
    assert len(heard.of(ReviewRequested)) == 3
    desk.approve("T-1")
    assert desk.states["T-1"] == "merging"


def test_a_reviewers_time_that_comes_in_a_pause_waits_for_its_end() -> None:
    desk = in_review()
    desk.cannot_vote("T-1", "senior", minutes=30)
    desk.person("pause")
    assert not desk.fire().of(ReviewRequested)
    assert len(desk.person("resume").of(ReviewRequested)) == 3
