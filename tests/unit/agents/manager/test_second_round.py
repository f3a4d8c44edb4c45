"""Where three blind verdicts do not agree: a synthesis, votes, and when a person is asked instead."""

from __future__ import annotations

import pytest
from desk_board import MAJOR, MINOR, REVIEWERS, Desk, Heard, asked, in_review, sha, spec

from callboard.bus.messages import (
    ChangesRequested,
    MergeRequested,
    SynthesisRequested,
    TaskAssigned,
    TimerFired,
    VoteRequested,
)
from callboard.bus.reviews import SynthesisItem
from callboard.bus.task import Finding

DOUBT = MAJOR.model_copy(update={"proof": "", "requirement": "what"})
JUNIORS = ("junior-1", "junior-2")


def doubted(*, by: str = "junior-1", finding: Finding = DOUBT) -> tuple[Desk, Heard]:
    """One reviewer has found something, the others approve."""
    desk = in_review()
    for name in REVIEWERS:
        if name != by:
            desk.vote("T-1", name)
    return desk, desk.vote("T-1", by, "needs_revision", finding)


def disputed() -> tuple[Desk, Heard]:
    """The senior has dismissed it, and the juniors are asked."""
    desk, _ = doubted()
    return desk, desk.make_one("T-1", "F-1")


def recipients(heard: Heard, kind: type) -> list[str]:
    return [draft.recipient for draft in heard.outcome.messages if isinstance(draft.body, kind)]


# --- whose turn it is ---


def test_a_doubt_goes_to_the_senior_with_what_stands_and_what_was_dropped() -> None:
    desk = in_review()
    desk.vote("T-1", "senior")
    made_up = Finding(severity="major", file="a.py", line=9, quote="rm -rf", dropped="its quote is not at a.py:9")
    desk.vote("T-1", "junior-2", "needs_revision", made_up)
    heard = desk.vote("T-1", "junior-1", "needs_revision", DOUBT)
    assert recipients(heard, SynthesisRequested) == ["senior"]
    body = heard.one(SynthesisRequested)
    assert [(it.id, it.by, it.finding) for it in body.standing] == [("F-1", ("junior-1",), DOUBT)]
    assert {it.seat: it.vote for it in body.opinions} == {
        "senior": "approved",
        "junior-1": "needs_revision",
        "junior-2": "needs_revision",
    }
    assert [it.dropped for it in body.opinions if it.dropped] == [(made_up,)]
    assert (body.commit, body.requirements_hash) == (sha("T-1 work"), desk.task("T-1").task.digest)
    assert {"title", "keeps-safe"} <= {it.id for it in body.requirements}
    assert desk.task("T-1").awaited == ("senior",)


def test_the_juniors_see_the_synthesis_and_both_approvals_bring_it_to_the_merge() -> None:
    desk, heard = disputed()
    assert recipients(heard, VoteRequested) == list(JUNIORS)
    assert [it.reason for it in heard.of(VoteRequested)[0].synthesis.dismissed] == ["another task"]
    desk.second("T-1", "junior-2")
    assert (desk.states, desk.task("T-1").awaited) == ({"T-1": "review"}, ("junior-1",))
    landing = desk.second("T-1", "junior-1").one(MergeRequested)
    assert landing.branches[0].message.count("Reviewed-by: ") == 3
    assert desk.review("T-1").outcome == "consensus"


def test_where_nothing_stands_the_juniors_vote_at_once_and_a_dissent_is_kept_in_the_commit() -> None:
    desk = in_review()
    for name in JUNIORS:
        desk.vote("T-1", name)
    heard = desk.vote("T-1", "senior", "needs_revision")
    assert recipients(heard, VoteRequested) == list(JUNIORS)
    for name in JUNIORS:
        last = desk.second("T-1", name)
    message = last.one(MergeRequested).branches[0].message
    assert "Dissent: senior\n" in message
    assert "Reviewed-by: senior" not in message


def test_what_the_senior_keeps_goes_back_without_a_vote_and_what_it_invents_is_not_counted() -> None:
    desk, _ = doubted()
    invented = SynthesisItem(findings=("F-7",), text="rewrite it all")
    kept = SynthesisItem(findings=("F-1",), text="check the length")
    heard = desk.make_one("T-1", items=(invented, kept))
    told = heard.one(ChangesRequested)
    assert "check the length (F-1)" in told.summary
    assert "rewrite it all" not in told.summary
    assert told.findings == (DOUBT,)
    assert desk.review("T-1").outcome == "major_flaws"
    assert any("'rewrite it all': it names nothing that stands" in entry for entry in heard.logged)


def test_three_agreeing_verdicts_pay_for_no_second_round() -> None:
    for heard in (in_review().approve("T-1"), in_review().refuse("T-1")):
        assert not [*heard.of(SynthesisRequested), *heard.of(VoteRequested)]


# --- a word counts for exactly what it judged ---


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"review": "T-1.1.9"}, "review T-1.1.9 is not open"),
        ({"commit": sha("another")}, "it judges another commit or other requirements"),
        ({"requirements_hash": "0" * 16}, "it judges another commit or other requirements"),
    ],
)
def test_a_vote_on_something_else_counts_for_nothing(values: dict[str, object], why: str) -> None:
    desk, _ = disputed()
    body = desk.vote_given("T-1").model_copy(update=values)
    assert desk.hear(body, "junior-1", "T-1").refusal == why


def test_nobody_votes_twice_out_of_turn_or_in_anothers_place() -> None:
    desk, _ = doubted()
    assert desk.second("T-1", "junior-1").refusal == "junior-1 is not asked for a vote now"
    assert desk.hear(desk.vote_given("T-1"), "driver-1", "T-1").refusal == "driver-1 was not asked for this review"
    desk.make_one("T-1", "F-1")
    assert desk.make_one("T-1", "F-1").refusal == "senior is not asked for a synthesis now"
    assert desk.second("T-1", "senior").refusal == "senior is not asked for a vote now"
    desk.second("T-1", "junior-1", "needs_revision")
    assert desk.second("T-1", "junior-1").refusal == "junior-1 is not asked for a vote now"
    assert desk.vote("T-1", "junior-1").refusal == "junior-1 has answered already"


# --- who does not answer ---


def test_a_silent_senior_is_asked_once_more_then_a_person_is() -> None:
    desk, _ = doubted()
    again = desk.fire(-1)
    assert recipients(again, SynthesisRequested) == ["senior"]
    assert asked(again) == {}, "the blind verdicts are not asked for again"
    assert again.one(SynthesisRequested).review == "T-1.1.2"
    desk.fire(-1)
    assert desk.states == {"T-1": "blocked"}
    assert desk.task("T-1").reason.startswith(
        "no synthesis from senior, however often they were asked.\nsenior gave no"
    )
    assert sorted(asked(desk.person("answer", question="q-1", text="again"))) == list(REVIEWERS)


def test_a_silent_junior_alone_is_asked_again() -> None:
    desk, _ = disputed()
    desk.second("T-1", "junior-1")
    again = desk.fire(-1)
    assert recipients(again, VoteRequested) == ["junior-2"]
    assert desk.second("T-1", "junior-2").of(MergeRequested)


def test_an_abstention_is_no_vote() -> None:
    desk, _ = disputed()
    desk.second("T-1", "junior-1", "abstained", "no idea")
    heard = desk.second("T-1", "junior-2")
    assert desk.states == {"T-1": "review"}
    assert recipients(heard, VoteRequested) == ["junior-1"]


def test_the_deadline_of_the_first_round_does_not_end_the_second() -> None:
    desk, _ = doubted()
    heard = desk.hear(TimerFired(about="review", subject="T-1.1.1"), "manager", "T-1")
    assert (heard.outcome.messages, desk.states) == ((), {"T-1": "review"})


def test_a_junior_that_cannot_think_holds_the_vote_until_it_can() -> None:
    desk, _ = disputed()
    desk.second("T-1", "junior-1")
    parked = {"parked": "rate_limit", "vote": "abstained", "notes": "at its limit"}
    desk.hear(desk.vote_given("T-1").model_copy(update=parked), "junior-2", "T-1")
    assert desk.task("T-1").reason == "waits for junior-2: at its limit"
    again = desk.fire(-1)
    assert recipients(again, VoteRequested) == ["junior-2"]
    assert desk.second("T-1", "junior-2").of(MergeRequested)


def test_another_seating_voids_an_open_second_round() -> None:
    desk, _ = disputed()
    seats = {"senior": "junior-1", "junior-1": "senior", "junior-2": "junior-2"}
    assert sorted(asked(desk.launch(seats=seats))) == list(REVIEWERS)


# --- a person is asked ---


def test_a_dismissal_that_one_junior_stands_against_asks_a_person() -> None:
    desk, _ = disputed()
    desk.second("T-1", "junior-2")
    desk.second("T-1", "junior-1", "needs_revision", "it is part of the task")
    assert desk.states == {"T-1": "blocked"}
    question = desk.question("q-1").text
    assert "the reviewers cannot agree" in question
    assert "junior-1 votes against it: it is part of the task" in question


def stopped() -> Desk:
    desk, _ = disputed()
    desk.second("T-1", "junior-2")
    desk.second("T-1", "junior-1", "needs_revision", "it is part of the task")
    return desk


def test_a_person_may_let_it_pass_and_the_commit_says_so() -> None:
    message = (
        (heard := stopped().person("answer", question="q-1", text=" Accept ")).one(MergeRequested).branches[0].message
    )
    assert heard.reply.ok
    assert "Accepted-by: person\n" in message
    assert "Dissent: junior-1\n" in message


def test_a_person_may_have_it_reviewed_again() -> None:
    assert sorted(asked(stopped().person("answer", question="q-1", text="again"))) == list(REVIEWERS)


def test_a_persons_own_words_go_to_the_driver_and_cost_no_attempt() -> None:
    desk = stopped()
    body = desk.person("answer", question="q-1", text="do it after all").one(TaskAssigned)
    assert [note.source for note in body.notes] == ["review", "answer"]
    assert "do it after all" in body.notes[-1].text
    assert (desk.task("T-1").spent, body.start) == (0, sha("T-1 work"))


def again(desk: Desk, number: int, *findings: Finding) -> Heard:
    """The next attempt, and three refusals of it."""
    desk.hand_in("T-1", f"work {number}")
    desk.gate("T-1")
    return desk.refuse("T-1", *findings)


def patient() -> Desk:
    desk = Desk()
    desk.directions(spec("one", budget={"attempts": 20}))
    return desk


def named(number: int, **values: object) -> Finding:
    return MINOR.model_copy(update={"scenario": f"number {number}", **values})


def test_the_same_finding_for_the_third_time_asks_a_person() -> None:
    desk = patient()
    for number in (1, 2):
        moved = DOUBT.model_copy(update={"line": number, "scenario": f"said otherwise {number}"})
        again(desk, number, moved)
        assert desk.states == {"T-1": "assigned"}
    again(desk, 3, DOUBT)
    assert desk.states == {"T-1": "blocked"}
    assert "the same finding is open for the third time, at a.py:1" in desk.question("q-1").text


def test_two_rounds_in_a_row_that_drift_ask_a_person() -> None:
    desk = patient()
    for number, requirement in enumerate(("what", "check-1", "what"), start=1):
        again(desk, number, named(number, severity="major", requirement=requirement))
        assert desk.review("T-1").drifted == (number > 1)
    assert desk.states == {"T-1": "blocked"}
    assert "2 rounds in a row broke something that was asked and held before" in desk.question("q-1").text


def test_one_round_that_drifts_goes_back() -> None:
    desk = patient()
    for number, requirement in enumerate(("what", "check-1", "check-1"), start=1):
        again(desk, number, named(number, severity="major", requirement=requirement))
    assert desk.states == {"T-1": "assigned"}


def test_the_sixth_refusal_in_a_row_asks_a_person_and_the_next_count_begins_anew() -> None:
    desk = patient()
    for number in range(1, 6):
        again(desk, number, named(number))
        assert desk.states == {"T-1": "assigned"}, number
    again(desk, 6, named(6))
    assert "6 reviews in a row sent it back" in desk.question("q-1").text
    desk.person("answer", question="q-1", text="try the other way")
    again(desk, 7, named(7))
    assert desk.states == {"T-1": "assigned"}
    assert desk.task("T-1").spent == 6


# --- one of the three is hostile: no wrong approval, and no waiting beyond the deadline ---

HOSTILE = ("approves", "rejects", "garbage", "silent", "invents")
INVENTED = Finding(severity="major", file="a.py", line=1, quote="rm -rf", dropped="its quote is not at a.py:1")


@pytest.mark.parametrize("seat", REVIEWERS)
@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("is_bad", [True, False], ids=["bad work", "good work"])
def test_one_hostile_reviewer_lands_nothing_that_is_bad_and_holds_nothing_up(seat: str, how: str, is_bad: bool) -> None:
    desk = in_review()
    for _ in range(40):
        task = desk.task("T-1")
        if task.state.value != "review":
            break
        before = task.awaited
        for name in before:
            _say(desk, name, how if name == seat else "honest", is_bad)
        if desk.task("T-1").awaited == before and desk.states == {"T-1": "review"}:
            desk.fire(-1)
    state = desk.states["T-1"]
    assert state != "review", "it waits for ever"
    if is_bad:
        assert state in ("assigned", "blocked"), "bad work was approved"
    elif how in ("approves", "invents"):
        assert state == "merging"


def _say(desk: Desk, name: str, how: str, is_bad: bool) -> None:
    """What a reviewer says when it is its turn; honest ones know good work from bad."""
    stage = desk.review("T-1").stage if desk.review("T-1").version else ""
    if how == "silent":
        return
    if how == "garbage":
        vote = "abstained"
    elif how == "honest":
        vote = "needs_revision" if is_bad else "approved"
    else:
        vote = {"approves": "approved", "rejects": "needs_revision", "invents": "needs_revision"}[how]
    if stage == "synthesis" and name == "senior":
        honest = how == "honest" and is_bad
        gone = () if honest or how == "rejects" else tuple(f"F-{n}" for n in range(1, 9))
        desk.make_one("T-1", *gone, abstained="no JSON" if how == "garbage" else "")
    elif stage == "vote":
        desk.second("T-1", name, "approved" if how == "invents" and not is_bad else vote)  # type: ignore[arg-type]
    elif not stage:
        true = (DOUBT,) if how == "honest" and is_bad else ()
        false = {"rejects": (named(1, severity="major"),), "invents": (INVENTED,)}.get(how, ())
        desk.vote("T-1", name, vote, *true, *false)
