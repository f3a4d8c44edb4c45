"""From evidence to approved. A claim is never believed, and a verdict counts for exactly what it judged."""

from __future__ import annotations

import pytest
from desk_board import MAJOR, NOON, REVIEWERS, ROSTER, Desk, Heard, sha, spec

from callboard.agents.manager.verdicts import gate_hash, verdict_field, verdict_of
from callboard.bus.board import Change, GateDoc
from callboard.bus.messages import (
    CommandGiven,
    EvidenceSubmitted,
    GateFinished,
    GateRequested,
    HandInRefused,
    MergeRequested,
    ReviewRequested,
    TaskAssigned,
    TaskClosed,
    TimerFired,
)
from callboard.bus.task import CommandResult


def in_review() -> Desk:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_review("T-1")
    return desk


def asked(heard: Heard) -> dict[str, ReviewRequested]:
    drafts = [draft for draft in heard.outcome.messages if isinstance(draft.body, ReviewRequested)]
    return {draft.recipient: draft.body for draft in drafts if isinstance(draft.body, ReviewRequested)}


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


# --- review ---


def test_three_approvals_bring_it_to_the_merge() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    desk.vote("T-1", "junior-1")
    assert desk.states == {"T-1": "review"}
    heard = desk.vote("T-1", "junior-2")
    assert desk.states == {"T-1": "merging"}
    assert heard.one(MergeRequested).branches[0].commit == sha("T-1 work")


def test_work_that_changed_no_code_is_accepted_on_its_evidence_and_nothing_is_merged() -> None:
    desk = Desk()
    desk.directions(spec("look"))
    desk.hand_in("T-1", head=None)
    requests = asked(desk.gate("T-1"))
    assert requests["senior"].commit is None
    heard = desk.approve("T-1")
    assert heard.of(MergeRequested) == []
    assert desk.states == {"T-1": "done"}
    assert heard.one(TaskClosed).state == "done"


def test_a_verified_major_finding_sends_it_back_whatever_the_votes() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    desk.vote("T-1", "junior-1")
    heard = desk.vote("T-1", "junior-2", "approved", MAJOR)
    assert desk.states == {"T-1": "assigned"}
    assert "it breaks" in heard.one(TaskAssigned).notes[0].text
    assert desk.run.review_rejections == 1


def test_the_next_attempt_is_reviewed_anew() -> None:
    desk = in_review()
    for name in REVIEWERS:
        desk.vote("T-1", name, "needs_revision")
    desk.hand_in("T-1", "better")
    requests = asked(desk.gate("T-1"))
    assert requests["senior"].commit == sha("T-1 better")
    assert desk.task("T-1").verdicts == {}


# --- attack 15: a verdict replayed, or used on something else ---


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"review": "T-1.1.9"}, "review T-1.1.9 is not open"),
        ({"commit": sha("another")}, "it judges another commit or other requirements"),
        ({"commit": None}, "it judges another commit or other requirements"),
        ({"requirements_hash": "0" * 16}, "it judges another commit or other requirements"),
    ],
)
def test_a_verdict_on_something_else_counts_for_nothing(values: dict[str, object], why: str) -> None:
    desk = in_review()
    heard = desk.hear(desk.verdict("T-1").model_copy(update=values), "senior", "T-1")
    assert heard.refusal == why
    assert desk.task("T-1").verdicts == {}


def test_a_verdict_from_somebody_who_was_not_asked_counts_for_nothing() -> None:
    desk = in_review()
    assert desk.vote("T-1", "driver-1").refusal == "driver-1 was not asked for this review"


def test_a_second_answer_does_not_replace_the_first() -> None:
    desk = in_review()
    desk.vote("T-1", "senior", "needs_revision", MAJOR)
    assert desk.vote("T-1", "senior", "approved").refusal == "senior has answered already"
    assert desk.task("T-1").verdicts["senior"].vote == "needs_revision"


def test_a_verdict_of_the_last_attempt_replayed_counts_for_nothing() -> None:
    desk = in_review()
    old = desk.verdict("T-1", "approved")
    for name in REVIEWERS:
        desk.vote("T-1", name, "needs_revision")
    desk.to_review("T-1")
    assert desk.hear(old, "senior", "T-1").refusal == "review T-1.1.1 is not open"


def test_without_the_comparison_the_replayed_approvals_would_approve() -> None:
    """The wall off: a board whose open review says of itself what the old verdicts say."""
    desk = in_review()
    old = desk.verdict("T-1", "approved")
    for name in REVIEWERS:
        desk.vote("T-1", name, "needs_revision")
    desk.to_review("T-1")
    task = desk.task("T-1")
    blind = task.model_copy(update={"review": old.review, "review_commit": old.commit, "version": task.version + 1})
    desk.board = desk.board.with_changes([Change("task:T-1", blind)])
    for name in REVIEWERS:
        desk.hear(old, name, "T-1")
    assert desk.states == {"T-1": "merging"}


def test_a_verdict_on_another_tasks_review_counts_for_nothing() -> None:
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.to_review("T-1")
    desk.to_review("T-2")
    assert desk.hear(desk.verdict("T-1"), "senior", "T-2").refusal == "review T-1.1.1 is not open"


def test_a_verdict_after_the_task_was_cancelled_counts_for_nothing() -> None:
    desk = in_review()
    verdict = desk.verdict("T-1")
    desk.hear(CommandGiven(command="cancel", task="T-1"), "person")
    assert desk.hear(verdict, "senior", "T-1").refusal == "review T-1.1.1 is not open"


# --- no quorum ---


def test_without_all_three_by_the_deadline_they_are_asked_again_then_a_person_is() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    again = asked(desk.fire())
    assert sorted(again) == list(REVIEWERS)
    assert again["senior"].review == "T-1.1.2"
    desk.fire()
    assert desk.states == {"T-1": "blocked"}
    assert desk.task("T-1").reason == "no verdict from junior-1, junior-2, senior, however often they were asked"
    assert desk.question("q-1").state == "open"


def test_the_deadline_of_a_review_that_is_over_changes_nothing() -> None:
    desk = in_review()
    desk.approve("T-1")
    before = desk.board.docs
    assert desk.fire().outcome.messages == ()
    assert desk.board.docs == before


def test_the_deadline_of_the_last_round_does_not_end_this_one() -> None:
    desk = in_review()
    desk.fire()
    heard = desk.hear(TimerFired(about="review", subject="T-1.1.1"), "manager", "T-1")
    assert (heard.outcome.messages, desk.states) == ((), {"T-1": "review"})


def test_abstentions_are_no_quorum() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    desk.vote("T-1", "junior-1", "abstained")
    last = desk.vote("T-1", "junior-2")
    assert sorted(asked(last)) == list(REVIEWERS)
    assert any("junior-1 abstained: " in entry for entry in last.logged)


def test_a_persons_answer_asks_the_reviewers_again_and_the_work_is_not_done_twice() -> None:
    desk = in_review()
    desk.fire()
    desk.fire()
    heard = desk.person("answer", question="q-1", text="again")
    assert heard.of(TaskAssigned) == []
    again = asked(heard)
    assert (again["senior"].commit, again["senior"].review) == (sha("T-1 work"), "T-1.1.3")
    desk.approve("T-1")
    assert desk.states == {"T-1": "merging"}


def test_without_three_reviewers_in_the_roster_a_person_is_asked_and_the_answer_goes_on() -> None:
    two = {name: role for name, role in ROSTER.items() if name != "senior"}
    desk = Desk()
    desk.directions(spec("one"))
    desk.launch(two)
    desk.start(*two)
    desk.hand_in("T-1")
    assert asked(desk.gate("T-1")) == {}
    assert desk.task("T-1").reason == "the roster has 2 reviewers, and a review needs 3"
    desk.launch(ROSTER)
    again = asked(desk.person("answer", question="q-1", text="again"))
    assert again["senior"].commit == sha("T-1 work")


def test_a_changed_reviewer_voids_the_open_review() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    old = desk.verdict("T-1")
    changed = {name: role for name, role in ROSTER.items() if name != "senior"} | {"junior-3": "reviewer"}
    again = asked(desk.launch(changed))
    assert sorted(again) == ["junior-1", "junior-2", "junior-3"]
    assert desk.task("T-1").verdicts == {}
    assert desk.hear(old, "junior-1", "T-1").refusal == "review T-1.1.1 is not open"


def test_the_same_reviewers_after_another_launch_void_nothing() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    assert asked(desk.launch()) == {}
    assert set(desk.task("T-1").verdicts) == {"senior"}


def test_a_review_that_is_asked_for_again_shows_the_same_change() -> None:
    """After a landing in the same files the review is about the merge; another round of it must not show the landing too."""
    desk = Desk()
    desk.directions(spec("one"), spec("two", "driver-2"))
    desk.to_landed("T-2")
    desk.to_merging("T-1")
    first = asked(desk.prepare("T-1", "review", paths=("a.py",), merge=sha("alone")))
    again = asked(desk.fire(-1))
    for body in (*first.values(), *again.values()):
        assert (body.base, body.commit) == (desk.run.head, sha("alone"))
    assert again["senior"].review != first["senior"].review


def test_a_review_that_found_its_quorum_late_takes_nothing_from_the_next_one() -> None:
    desk = in_review()
    desk.fire()
    desk.approve("T-1")
    desk.prepare("T-1", "review", paths=("a.py",), merge=sha("alone"))
    assert sorted(asked(desk.fire(-1))) == list(REVIEWERS)
    assert desk.states == {"T-1": "review"}
