"""From three blind verdicts to an outcome. A verdict counts for exactly what it judged."""

from __future__ import annotations

import pytest
from desk_board import MAJOR, REVIEWERS, ROSTER, Desk, asked, in_review, sha, spec

from callboard.bus.board import Board, Change
from callboard.bus.messages import CommandGiven, MergeRequested, TaskAssigned, TaskClosed, TimerFired

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


def test_a_major_that_its_command_has_shown_sends_it_back_whatever_the_votes() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    desk.vote("T-1", "junior-1")
    heard = desk.vote("T-1", "junior-2", "approved", MAJOR)
    assert desk.states == {"T-1": "assigned"}
    assert "it breaks" in heard.one(TaskAssigned).notes[0].text
    assert desk.run.review_rejections == 1


def test_the_next_attempt_is_reviewed_anew() -> None:
    desk = in_review()
    desk.refuse("T-1")
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
    desk.refuse("T-1")
    desk.to_review("T-1")
    assert desk.hear(old, "senior", "T-1").refusal == "review T-1.1.1 is not open"


def test_without_the_comparison_the_replayed_approvals_would_approve() -> None:
    """The wall off: a board whose open review says of itself what the old verdicts say."""
    desk = in_review()
    old = desk.verdict("T-1", "approved")
    desk.refuse("T-1")
    desk.to_review("T-1")
    task = desk.task("T-1")
    blind = task.model_copy(update={"review": old.review, "review_commit": old.commit, "version": task.version + 1})
    left = {name: doc for name, doc in desk.board.docs.items() if not name.startswith("review:")}
    desk.board = Board(left).with_changes([Change("task:T-1", blind)])
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
    assert sorted(again) == ["junior-1", "junior-2"], "who has answered is not asked again"
    assert again["junior-1"].review == "T-1.1.2"
    desk.fire()
    assert desk.states == {"T-1": "blocked"}
    reason = desk.task("T-1").reason
    assert reason.startswith(
        "no verdict from junior-1, junior-2, however often they were asked.\njunior-1 did not answer"
    )
    assert (desk.question("q-1").state, desk.question("q-1").options) == ("open", ("again",))


def test_a_person_who_is_asked_hears_why_reviewers_gave_no_vote() -> None:
    desk = in_review()
    for _ in range(2):
        for name in REVIEWERS:
            verdict = desk.verdict("T-1", "abstained").model_copy(update={"notes": f"{name} exited 7"})
            desk.hear(verdict, name, "T-1")
    assert "senior abstained: senior exited 7; junior-1 abstained: junior-1 exited 7" in desk.question("q-1").text


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
    assert sorted(asked(last)) == ["junior-1"]
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
