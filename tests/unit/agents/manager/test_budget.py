"""Caps: who is told, who is asked, what waits, and what an answer does."""

from __future__ import annotations

import pytest
from desk_board import Desk, Heard, spec

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import QuestionDoc
from callboard.bus.caps import Caps, Limits, Reached, What, Worked, read_amount, shown
from callboard.bus.messages import (
    AttemptParked,
    BudgetReached,
    MinutePassed,
    PinRequested,
    ReviewRequested,
    TaskAssigned,
    TaskCancelled,
    TaskClosed,
    VerdictGiven,
)

RUN, T1, DRIVER = "run", "task:T-1", "agent:driver-1"
SMALL = Caps(tokens=100, micro_usd=1_000_000, minutes=10, attempts=50)


def budgeted(*titles: str, limits: Limits | None = None) -> Desk:
    """A run with one task in each driver's hands."""
    desk = Desk()
    desk.launch(limits=limits or Limits(run=SMALL, task=SMALL, agent=SMALL))
    desk.start("manager", "driver-1", "driver-2")
    desk.directions(*(spec(title) for title in titles or ("one", "two")), spec("three", "driver-2"))
    return desk


def reach(desk: Desk, scope: str, used: int, what: str = "tokens") -> Heard:
    """The watch says what was spent; the cap it saw is not believed."""
    reached = Reached.model_validate({"scope": scope, "what": what, "used": used, "cap": 1})
    return desk.hear(BudgetReached(reached=(reached,)), "manager")


def park(desk: Desk, scope: str, id: str = "T-1", *, used: int = 100, cap: int = 100, head: str | None = "h") -> Heard:
    """The driver's call was refused."""
    reached = Reached(scope=scope, what="tokens", used=used, cap=cap)
    body = AttemptParked(cause="budget", detail="no room", head=head, reached=reached)
    return desk.hear(body, desk.task(id).agent, id)


def open_questions(desk: Desk) -> list[str]:
    return [doc.scope for doc in desk.board.all(QuestionDoc) if doc.state == "open"]


def answer(desk: Desk, text: str, question: str = "q-1") -> Heard:
    return desk.person("answer", question=question, text=text)


# --- the notice ---


def test_at_eighty_per_cent_a_person_is_told_once() -> None:
    desk = budgeted()
    assert reach(desk, RUN, 79).logged == []
    assert reach(desk, RUN, 80).logged == [
        "the run has used 80 % of its tokens\n80 tokens of 100 tokens; at the cap you are asked\n"
    ]
    assert reach(desk, RUN, 90).logged == []
    assert desk.run.state == "running"
    assert reach(desk, DRIVER, 900_000, "usd").logged[0].startswith("driver-1 has used 90 % of its usd")


def test_after_a_raise_the_next_eighty_per_cent_are_told_again() -> None:
    desk = budgeted()
    reach(desk, RUN, 80)
    desk.person("resume", limits=Limits(run=SMALL.model_copy(update={"tokens": 1_000}), task=SMALL, agent=SMALL))
    assert reach(desk, RUN, 500).logged == []
    assert len(reach(desk, RUN, 800).logged) == 1


# --- the run ---


def test_at_the_runs_cap_it_pauses_and_asks() -> None:
    desk = budgeted()
    reach(desk, RUN, 103)
    assert (desk.run.state, desk.run.reason) == ("paused", "budget")
    assert desk.question("q-1").text == (
        "the budget of the run is spent: 103 tokens of 100 tokens. Answer with a new cap, such as 155, or stop."
    )
    assert outlook(desk.board) == "moving", "what agents hold goes on until it asks for room"
    park(desk, RUN)
    park(desk, RUN, "T-3")
    assert outlook(desk.board) == "people"
    assert open_questions(desk) == [RUN], "asked once"
    assert desk.states["T-1"] == "queued"


def test_work_that_is_parked_for_the_run_is_kept_and_costs_no_attempt() -> None:
    desk = budgeted()
    heard = park(desk, RUN)
    assert heard.one(PinRequested).commit == "h"
    assert desk.run.state == "paused"
    assert heard.of(TaskAssigned) == []
    assert (desk.task("T-1").pin, desk.task("T-1").spent) == ("h", 0)


def test_a_number_raises_the_cap_and_the_run_goes_on() -> None:
    desk = budgeted()
    park(desk, RUN)
    park(desk, RUN, "T-3")
    heard = answer(desk, "500")
    assert (heard.reply.ok, heard.reply.text) == (True, "the run may use 500 tokens now, and goes on")
    assert desk.run.state == "running"
    assert desk.board.caps(RUN).tokens == 500
    assert {draft.spec.title for draft in heard.of(TaskAssigned)} == {"one", "three"}
    assert desk.question("q-1").state == "answered"
    reach(desk, RUN, 499)
    assert desk.run.state == "running"
    reach(desk, RUN, 500)
    assert (desk.run.state, open_questions(desk)) == ("paused", [RUN])


@pytest.mark.parametrize("text", ["yes", "100", "-5", "99", "$500", "nan", ""])
def test_an_answer_that_raises_nothing_leaves_the_question_open(text: str) -> None:
    desk = budgeted()
    reach(desk, RUN, 100)
    heard = answer(desk, text)
    assert not heard.reply.ok
    assert heard.reply.text.startswith("q-1 takes an amount above 100 tokens, or stop")
    assert open_questions(desk) == [RUN]


def test_stop_ends_the_run_and_says_how_it_goes_on() -> None:
    desk = budgeted()
    reach(desk, RUN, 100)
    assert "raise [budget] in callboard.toml and launch again" in answer(desk, "stop").reply.text
    assert (desk.run.state, desk.run.reason) == ("failed", "budget_exhausted")
    park(desk, RUN)
    assert open_questions(desk) == [], "what agents still held asks nobody again"
    desk.launch(limits=Limits())
    assert desk.run.state == "running"


def test_resume_alone_does_not_pass_a_cap() -> None:
    desk = budgeted()
    reach(desk, RUN, 100)
    limits = Limits(run=SMALL, task=SMALL, agent=SMALL)
    heard = desk.person("resume", limits=limits)
    assert not heard.reply.ok
    assert "answer q-1 with a new cap" in heard.reply.text
    assert desk.run.state == "paused"


def test_resume_with_a_raised_file_goes_on_and_closes_the_question() -> None:
    desk = budgeted()
    reach(desk, RUN, 100)
    heard = desk.person("resume", limits=Limits())
    assert heard.reply.text == "the run goes on; the run has room again"
    assert (desk.run.state, open_questions(desk)) == ("running", [])


def test_the_last_word_counts_between_an_answer_and_the_file() -> None:
    desk = budgeted()
    reach(desk, RUN, 100)
    answer(desk, "500")
    same = Limits(run=SMALL, task=SMALL, agent=SMALL)
    desk.launch(limits=same)
    assert desk.board.caps(RUN).tokens == 500, "the file says what it said before"
    desk.launch(limits=same.model_copy(update={"run": SMALL.model_copy(update={"tokens": 300})}))
    assert desk.board.caps(RUN).tokens == 300


def test_a_cap_that_was_raised_meanwhile_refuses_nothing() -> None:
    desk = budgeted()
    reach(desk, RUN, 100)
    answer(desk, "500")
    heard = park(desk, RUN, used=100, cap=100)
    assert desk.run.state == "running"
    assert [draft.spec.title for draft in heard.of(TaskAssigned)] == ["one"]


# --- a task ---


def test_a_spent_task_waits_with_its_question_and_the_others_go_on() -> None:
    desk = budgeted()
    heard = park(desk, T1)
    assert desk.states == {"T-1": "blocked", "T-2": "assigned", "T-3": "assigned"}
    assert [draft.spec.title for draft in heard.of(TaskAssigned)] == ["two"]
    assert desk.task("T-1").question == "q-1"
    assert desk.run.state == "running"
    answer(desk, "1k")
    assert desk.states["T-1"] == "queued"
    assert desk.board.caps(T1).tokens == 1_000
    assert desk.board.caps("task:T-2").tokens == 100


def test_a_tasks_own_budget_is_what_is_held_against_it() -> None:
    desk = Desk()
    desk.directions(spec("one", budget={"tokens": 40}))
    reach(desk, T1, 39)
    assert open_questions(desk) == []
    reach(desk, T1, 40)
    assert open_questions(desk) == [T1]
    assert desk.states["T-1"] == "assigned", "its agent is refused by the reservation"


def test_stop_fails_the_task_alone() -> None:
    desk = budgeted()
    park(desk, T1)
    heard = answer(desk, "stop")
    assert desk.states["T-1"] == "failed"
    assert heard.one(TaskClosed).state == "failed"
    assert desk.run.state == "running"


def test_stop_takes_the_task_from_an_agent_that_still_works_on_it() -> None:
    desk = budgeted()
    reach(desk, T1, 100)
    heard = answer(desk, "stop")
    assert heard.one(TaskCancelled)
    assert desk.states["T-1"] == "failed"
    assert desk.states["T-2"] == "assigned"


def test_a_cap_is_not_weighed_for_a_task_that_has_ended() -> None:
    desk = budgeted()
    desk.person("cancel", task="T-1")
    reach(desk, T1, 100)
    assert open_questions(desk) == []


# --- an agent ---


def test_a_spent_agent_gets_nothing_and_the_others_go_on() -> None:
    desk = budgeted()
    heard = park(desk, DRIVER)
    assert heard.of(TaskAssigned) == []
    assert desk.states == {"T-1": "queued", "T-2": "queued", "T-3": "assigned"}
    assert open_questions(desk) == [DRIVER]
    heard = answer(desk, "200")
    assert [draft.spec.title for draft in heard.of(TaskAssigned)] == ["one"]


def test_after_stop_others_take_its_tasks() -> None:
    desk = budgeted()
    park(desk, DRIVER)
    answer(desk, "stop")
    desk.to_landed("T-3")
    assert (desk.task("T-1").agent, desk.states["T-1"]) == ("driver-2", "assigned")


def test_only_people_can_move_what_a_spent_agent_would_take() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    park(desk, DRIVER, used=3_000_000, cap=3_000_000)
    assert outlook(desk.board) == "people"


def test_a_budget_of_somebody_else_is_not_believed() -> None:
    desk = budgeted()
    park(desk, "agent:driver-2")
    assert "agent:driver-2" not in desk.board.budget.exhausted


def test_a_review_waits_for_a_spent_reviewer_and_asks_it_again() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_review("T-1")
    desk.vote("T-1", "senior")
    desk.vote("T-1", "junior-1")
    said = desk.verdict("T-1", "abstained")
    reached = Reached(scope="agent:junior-2", what="tokens", used=100, cap=3_000_000)
    desk.hear(said.model_copy(update={"parked": "budget", "reached": reached}), "junior-2", "T-1")
    assert desk.states["T-1"] == "review"
    assert outlook(desk.board) == "people"
    assert not answer(desk, "stop").reply.ok, "without it nothing is reviewed"
    heard = answer(desk, "4M")
    assert [draft.recipient for draft in heard.outcome.messages if isinstance(draft.body, ReviewRequested)] == [
        "junior-2"
    ]
    assert isinstance(said, VerdictGiven)
    assert outlook(desk.board) == "moving"


# --- minutes and attempts ---


def minute(desk: Desk) -> Heard:
    return desk.hear(MinutePassed(), "manager")


def test_a_minute_counts_for_what_is_in_hand() -> None:
    desk = budgeted()
    minute(desk)
    one = Worked(minutes=1)
    worked = desk.board.budget.worked
    assert {scope: known.minutes for scope, known in worked.items()} == {
        "run": 1,
        "task:T-1": 1,
        "task:T-3": 1,
        "agent:driver-1": 1,
        "agent:driver-2": 1,
    }
    assert worked["task:T-1"] == one


def test_a_review_is_time_of_the_task_and_of_those_who_still_judge() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.to_review("T-1")
    desk.vote("T-1", "senior")
    minute(desk)
    assert {scope for scope, known in desk.board.budget.worked.items() if known.minutes} == {
        "run",
        "task:T-1",
        "agent:junior-1",
        "agent:junior-2",
    }


def test_waiting_for_people_is_no_time_worked() -> None:
    desk = Desk()
    desk.directions(spec("one"))
    desk.ask("T-1")
    minute(desk)
    assert all(known.minutes == 0 for known in desk.board.budget.worked.values())


def test_when_the_minutes_are_used_the_run_pauses_and_hours_raise_them() -> None:
    desk = budgeted(limits=Limits(run=SMALL))
    for _ in range(7):
        assert minute(desk).logged == []
    assert minute(desk).logged[0].startswith("the run has used 80 % of its minutes")
    minute(desk)
    assert desk.run.state == "running"
    minute(desk)
    assert desk.run.reason == "budget"
    assert answer(desk, "2 h").reply.text == "the run may use 120 minutes now, and goes on"
    assert desk.run.state == "running"


def test_when_no_attempt_is_left_for_what_is_ready_a_person_is_asked() -> None:
    desk = budgeted("one", limits=Limits(run=SMALL.model_copy(update={"attempts": 2})))
    assert desk.states == {"T-1": "assigned", "T-2": "assigned"}
    assert desk.run.state == "running", "nothing is ready"
    desk.fail("T-1")
    assert (desk.run.state, desk.states["T-1"]) == ("paused", "changes_requested")
    answer(desk, "3")
    assert (desk.run.state, desk.states["T-1"]) == ("running", "assigned")


def test_an_agent_without_attempts_waits_alone() -> None:
    desk = budgeted(limits=Limits(agent=SMALL.model_copy(update={"attempts": 1})))
    desk.fail("T-1")
    assert desk.states["T-1"] == "changes_requested"
    assert open_questions(desk) == [DRIVER]
    assert desk.run.state == "running"
    answer(desk, "2")
    assert desk.states["T-1"] == "assigned"


# --- amounts ---


@pytest.mark.parametrize(
    ("what", "text", "expected"),
    [
        ("tokens", "6M", 6_000_000),
        ("tokens", "6,000,000 tokens", 6_000_000),
        ("tokens", "0.5k", 500),
        ("tokens", "1.0001k", None),
        ("tokens", "$6", None),
        ("tokens", "6 h", None),
        ("usd", "50", 50_000_000),
        ("usd", "$ 50.25", 50_250_000),
        ("usd", "50 USD", 50_000_000),
        ("usd", "5M", None),
        ("minutes", "90", 90),
        ("minutes", "1.5 h", 90),
        ("attempts", "10", 10),
        ("attempts", "ten", None),
    ],
)
def test_an_amount_is_read_as_people_write_it(what: What, text: str, expected: int | None) -> None:
    assert read_amount(what, text) == expected


def test_money_is_shown_to_the_cent_unless_it_is_less() -> None:
    assert [shown("usd", micros) for micros in (0, 1_500, 25_000_000, 1_234_567)] == [
        "0.00 USD",
        "0.0015 USD",
        "25.00 USD",
        "1.23 USD",
    ]
