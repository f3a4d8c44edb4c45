"""Stuck: the same change or failure a second time, or no progress by measurement; never silence alone."""

from __future__ import annotations

import pytest
from desk_board import MAJOR, Desk, Heard, sha, spec

from callboard.bus.messages import (
    AttemptStopped,
    ConsultRequested,
    EvidenceSubmitted,
    GateRequested,
    PinRequested,
    TaskAssigned,
    TaskCancelled,
    TaskProgressed,
)
from callboard.bus.task import CommandResult


def started() -> Desk:
    desk = Desk()
    desk.directions(spec("one"))
    return desk


def red(desk: Desk, tail: str) -> Heard:
    """The task's work is handed in, and its gate fails so."""
    desk.hand_in("T-1", f"work {desk.task('T-1').attempt}")
    failed = CommandResult(command="make test", exit_code=1, duration_s=1, digest="", tail=tail)
    return desk.gate("T-1", "red", commands=(failed,))


def hand_in(desk: Desk, diff: str) -> Heard:
    body = EvidenceSubmitted(head=sha(f"{diff} {desk.task('T-1').attempt}"), diff=diff)
    return desk.hear(body, "driver-1", "T-1")


def test_the_same_failing_output_twice_is_stuck_whatever_its_numbers() -> None:
    desk = started()
    assert red(desk, "1 failed in 0.12s").one(TaskAssigned).notes, "the first time it is tried again"
    heard = red(desk, "1 failed in 3.40s")
    assert desk.blocker("B-1").cause == "stuck"
    assert desk.task("T-1").spent == 2, "what failed counts all the same"
    asked = heard.one(ConsultRequested)
    assert asked.problem.startswith("it fails again as before: `make test` exited 1")
    assert "1 failed in 3.40s" in asked.evidence[-1]
    assert len(asked.questions) == 2


def test_another_failure_is_tried_again() -> None:
    desk = started()
    red(desk, "test_a failed")
    red(desk, "test_b failed")
    assert desk.task("T-1").state == "assigned"


def test_a_failure_that_was_met_before_another_one_is_the_same_again() -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 5}))
    for tail in ("test_a failed", "test_b failed", "test_a failed"):
        red(desk, tail)
    assert (desk.task("T-1").state, desk.blocker("B-1").cause) == ("blocked", "stuck")


def test_the_last_attempt_fails_as_ever() -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 2}))
    red(desk, "same")
    red(desk, "same")
    assert desk.task("T-1").state == "failed"


def test_the_same_findings_twice_are_left_to_the_rule_of_reviews() -> None:
    desk = started()
    for _ in range(2):
        desk.to_review("T-1")
        desk.refuse("T-1", MAJOR)
    assert desk.states["T-1"] == "assigned"


def test_a_change_that_was_sent_back_is_not_judged_again() -> None:
    """Circular over attempts: A, B, A."""
    desk = started()
    for diff, tail in (("aa", "one"), ("bb", "two")):
        hand_in(desk, diff)
        desk.gate("T-1", "red", commands=(CommandResult(command="x", exit_code=1, duration_s=1, digest="", tail=tail),))
    heard = hand_in(desk, "aa")
    assert not heard.of(GateRequested)
    assert heard.one(PinRequested).commit == desk.task("T-1").pin, "its work is kept"
    assert (desk.task("T-1").state, desk.blocker("B-1").cause) == ("blocked", "stuck")
    assert heard.one(ConsultRequested).problem == "it hands in the same change that was sent back before"


def test_a_person_may_want_the_same_change_judged_once_more() -> None:
    desk = started()
    hand_in(desk, "aa")
    desk.gate("T-1", "red")
    hand_in(desk, "aa")
    desk.advise("senior")
    desk.person("answer", question="q-1", text="it is right: hand it in again")
    assert hand_in(desk, "aa").of(GateRequested)


@pytest.mark.parametrize("diff", ["", "bb"])
def test_a_new_change_or_none_is_judged(diff: str) -> None:
    desk = started()
    hand_in(desk, "aa" if diff else "")
    desk.gate("T-1", "red")
    assert hand_in(desk, diff).of(GateRequested)


def test_no_progress_for_the_set_time_stops_the_attempt_and_keeps_its_work() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.accept("T-1")
    assert not desk.hear(TaskProgressed(diff="aa", quiet_s=2_399), "driver-1", "T-1").of(TaskCancelled)
    heard = desk.hear(TaskProgressed(diff="aa", quiet_s=2_400), "driver-1", "T-1")
    assert heard.to("driver-1")[0] == heard.one(TaskCancelled)
    assert "no progress for 40 minutes" in heard.one(TaskCancelled).reason
    assert (desk.task("T-1").state, desk.blocker("B-1").cause, desk.task("T-1").spent) == ("blocked", "stuck", 0)
    assert heard.one(TaskAssigned).spec.title == "two", "the agent goes on with its next task"
    heard = desk.hear(AttemptStopped(head=sha("half")), "driver-1", "T-1")
    assert heard.one(PinRequested).commit == desk.task("T-1").pin == sha("half")


def test_silence_alone_decides_nothing() -> None:
    desk = started()
    desk.accept("T-1")
    desk.wait(days=2)
    desk.directions(spec("one"))
    assert desk.task("T-1").state == "working", "no measurement came that says so"


def test_what_moves_is_progress_and_a_quiet_measurement_is_none() -> None:
    desk = started()
    desk.accept("T-1")
    desk.hear(TaskProgressed(doing="reads"), "driver-1", "T-1")
    at = desk.agent("driver-1").progress_at
    desk.wait(minutes=5)
    desk.hear(TaskProgressed(diff="aa", quiet_s=60), "driver-1", "T-1")
    assert (desk.agent("driver-1").progress_at, desk.agent("driver-1").doing) == (at, "reads")
    desk.hear(TaskProgressed(diff="bb"), "driver-1", "T-1")
    assert desk.agent("driver-1").progress_at == desk.now


@pytest.mark.parametrize("when", ["resolved", "cancelled", "another attempt"])
def test_what_a_stopped_attempt_left_is_nobodys_once_the_task_has_gone_on(when: str) -> None:
    desk = started()
    desk.accept("T-1")
    desk.hear(TaskProgressed(quiet_s=9_999), "driver-1", "T-1")
    attempt = desk.task("T-1").attempt
    if when == "cancelled":
        desk.person("cancel", task="T-1")
    else:
        desk.person("answer", question="B-1", text="so")
    assert not desk.hear(AttemptStopped(head=sha("half")), "driver-1", "T-1", attempt).of(PinRequested)
