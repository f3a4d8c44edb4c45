"""From evidence to approved. A claim is never believed, and a verdict counts for exactly what it judged."""

from __future__ import annotations

import pytest
from desk_board import NOON, REVIEWERS, Desk, asked, sha, spec

from callboard.agents.manager.verdicts import gate_hash, verdict_field, verdict_of
from callboard.bus.board import GateDoc
from callboard.bus.messages import (
    EvidenceSubmitted,
    GateFinished,
    GateRequested,
    HandInRefused,
    TaskAssigned,
)
from callboard.bus.task import CommandResult

# --- evidence and gate ---


def test_evidence_goes_to_the_gate_whatever_it_claims() -> None:
    desk = Desk()
    desk.directions(spec("one", checks=("test -f a",)))
    heard = desk.hand_in("T-1")
    request = heard.one(GateRequested)
    assert heard.to("gate") == [request]
    assert (request.purpose, request.commit, request.base) == ("evidence", sha("T-1 work"), sha("base"))
    assert desk.states == {"T-1": "gate"}


def test_evidence_for_an_earlier_attempt_is_ignored() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.fail("T-1")
    heard = desk.hear(EvidenceSubmitted(head=sha("late")), "driver-1", "T-1", attempt=1)
    assert heard.refusal == "driver-1 does not hold attempt 1 of T-1 now"
    assert desk.states == {"T-1": "assigned"}


def test_a_green_gate_is_kept_by_tree_and_commands_and_all_three_are_asked() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    heard = desk.gate("T-1")
    task = desk.task("T-1")
    assert verdict_of(desk.board, task.tree, task.gate_hash) == "green"
    requests = asked(heard)
    assert sorted(requests) == list(REVIEWERS)
    request = requests["senior"]
    assert (request.commit, request.base, request.requirements_hash) == (task.head, sha("base"), task.task.digest)
    assert request.deadline == NOON + desk.policy.review_deadline


def test_a_red_gate_is_kept_counted_and_sent_back_with_its_output() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    red = desk.task("T-1")
    heard = desk.gate("T-1", "red")
    assert asked(heard) == {}
    assert verdict_of(desk.board, sha(f"tree of {red.head}"), gate_hash(desk.policy, red.task)) == "red"
    assert desk.run.gate_failures == 1
    assert heard.one(TaskAssigned).notes[0].text == "`make test` exited 1"


def test_a_gate_that_broke_without_a_command_says_its_reason() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    heard = desk.gate("T-1", "red", commands=(), reason="setup `make` ended with exit code 2")
    assert heard.one(TaskAssigned).notes[0].text == "setup `make` ended with exit code 2"


def test_a_flake_is_recorded_with_the_verdict() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    heard = desk.gate("T-1", flaky=True)
    task = desk.task("T-1")
    assert desk.board.get(verdict_field(task.tree, task.gate_hash), GateDoc).flaky
    assert any("recorded as a flake" in text for text in heard.logged)


def test_a_gate_that_was_stopped_at_its_time_limit_is_not_called_a_failure_of_the_command() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    stopped = CommandResult(command="make test", exit_code=124, duration_s=30.2, digest="")
    heard = desk.gate("T-1", "red", commands=(stopped,))
    assert heard.one(TaskAssigned).notes[0].text == "`make test` was stopped at its time limit, after 30 s"


def test_what_intake_refused_starts_afresh_knowing_the_rule() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    heard = desk.gate("T-1", "refused", rule="paths", path=".github/x", reason="put it back")
    assert heard.one(HandInRefused) == HandInRefused(rule="paths", path=".github/x", way_out="put it back")
    body = heard.one(TaskAssigned)
    assert body.start == body.base == sha("base")
    assert body.notes[0].text == "intake refused `.github/x` (rule paths): put it back"
    assert (desk.run.intake_refusals, desk.task("T-1").pin) == (1, "")


def test_a_gate_that_could_not_run_pauses_the_run_and_resume_asks_it_again() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.hand_in("T-1")
    desk.gate("T-1", "infrastructure", reason="no make here")
    assert (desk.run.state, desk.run.reason) == ("paused", "environment")
    assert "no make here" in desk.run.detail
    assert (desk.states["T-1"], desk.task("T-1").spent) == ("gate", 0)
    heard = desk.person("resume")
    assert heard.one(GateRequested).commit == sha("T-1 work")
    assert desk.run.state == "running"
    assert desk.person("pause").reply.ok
    assert desk.person("resume").of(GateRequested) == [], "it is asked for once"
    desk.gate("T-1")
    assert desk.states["T-1"] == "review"


@pytest.mark.parametrize("verdict", ["green", "red", "refused", "infrastructure"])
def test_the_gate_of_a_task_that_was_cancelled_meanwhile_changes_nothing(verdict: str) -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two"))
    desk.hand_in("T-1")
    desk.person("cancel", task="T-1")
    before = desk.board.docs
    heard = desk.gate("T-1", verdict)  # type: ignore[arg-type]
    assert (desk.board.docs, heard.outcome.messages) == (before, ())


def test_a_verdict_of_the_gate_on_another_commit_or_attempt_changes_nothing() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    before = desk.board.docs
    desk.gate("T-1", commit=sha("another"))
    desk.hear(GateFinished(purpose="evidence", verdict="green", commit=desk.task("T-1").head), "gate", "T-1", attempt=7)
    assert desk.board.docs == before


def test_the_same_gate_twice_asks_the_reviewers_once() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.hand_in("T-1")
    body = GateFinished(purpose="evidence", verdict="green", commit=desk.task("T-1").head, tree=sha("t"), gate_hash="h")
    assert asked(desk.hear(body, "gate", "T-1"))
    assert not asked(desk.hear(body, "gate", "T-1"))
