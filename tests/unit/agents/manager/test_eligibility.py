"""Promotion: each condition alone is enough to hold it up, and names its way out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desk_board import Desk, Heard, spec

from callboard.agents.manager.eligibility import conditions, not_promotable
from callboard.bus.board import Board, Change
from callboard.bus.caps import Exhausted
from callboard.bus.issues import IssueDoc, Report, SummaryDoc
from callboard.bus.messages import CommandHandled, IssueClosed, IssueReported, PromotionRequested, RunSummed


def succeeded(tier: str = "setup") -> Desk:
    """A run of one task that landed."""
    desk = Desk()
    desk.directions(spec("one", tier=tier))
    desk.to_landed("T-1")
    return desk


def report(desk: Desk, count: int, task: str = "T-1") -> None:
    for n in range(count):
        desk.hear(IssueReported(report=Report(title="x", key=f"k{n}"), task=task), "person")


def changed(desk: Desk, field: str, **values: object) -> Board:
    doc = desk.board.docs[field]
    return desk.board.with_changes([Change(field, doc.model_copy(update=values))])


def unmet(board: Board) -> list[str]:
    return [condition.name for condition in conditions(board) if not condition.is_met]


def test_a_run_that_succeeded_and_is_clean_may_be_promoted() -> None:
    desk = succeeded()
    assert unmet(desk.board) == []
    assert desk.person("promote").one(PromotionRequested)


def stopped(scope: str) -> Callable[[Desk], Board]:
    known = Exhausted(what="tokens", used=9, cap=9, stopped=True)
    return lambda desk: changed(desk, "budget", exhausted={scope: known})


def open_question(desk: Desk) -> Board:
    return changed(desk, "budget", exhausted={"task:T-1": Exhausted(what="tokens", used=9, cap=9)})


@pytest.mark.parametrize(
    ("break_it", "name", "way_out"),
    [
        (lambda desk: changed(desk, "run", state="paused"), "the run has succeeded", "callboard resume"),
        (lambda desk: changed(desk, "run", state="failed"), "the run has succeeded", "--again"),
        (lambda desk: changed(desk, "run", state="cancelled"), "the run has succeeded", "--from r"),
        (lambda desk: changed(desk, "summary", state=""), "its summary is written", "a launch"),
        (lambda desk: changed(desk, "summary", head="before"), "its summary is written", "a launch"),
        (stopped("tier:setup"), "every tier is clean", "[budget.tier]"),
        (stopped("task:T-1"), "no budget was given up", "[budget.task]"),
        (stopped("run"), "no budget was given up", "[budget]"),
        (lambda desk: changed(desk, "run", promoted=desk.run.head), "there is something to promote", "nothing left"),
    ],
)
def test_each_condition_alone_holds_it_up(break_it: Callable[[Desk], Board], name: str, way_out: str) -> None:
    board = break_it(succeeded())
    assert name in unmet(board)
    assert any(way_out in reason for reason in not_promotable(board))


def test_what_was_only_asked_or_is_an_agents_own_holds_nothing_up() -> None:
    assert unmet(open_question(succeeded())) == []
    assert unmet(stopped("agent:driver-1")(succeeded())) == []


@pytest.mark.parametrize(("minors", "held"), [(2, []), (3, []), (4, ["no cap on issues is passed"])])
def test_a_run_may_have_three_minor_issues_a_task(minors: int, held: list[str]) -> None:
    desk = succeeded(tier="main")
    report(desk, minors)
    assert unmet(desk.board) == held


def test_issues_that_the_run_did_not_see_hold_nothing_up() -> None:
    desk = succeeded()
    old = [Change(f"issue:k{n}", IssueDoc(version=1, key=f"k{n}", age_runs=9)) for n in range(9)]
    assert unmet(desk.board.with_changes(old)) == []


def test_a_person_hears_every_reason_at_once() -> None:
    desk = succeeded()
    report(desk, 4)
    desk.directions(spec("one", tier="setup"), spec("two"))
    reply = desk.person("promote").one(CommandHandled)
    assert not reply.ok
    assert reply.text == (
        "not eligible for promotion:\n"
        "- the run is running (T-2 is assigned); `callboard launch` goes on with it\n"
        "- tier setup is not clean: 4 minor issues are open, 2 may be; mend them and `callboard issues close KEY`, "
        "or raise the cap in [issues]"
    )


def test_the_summary_is_written_in_the_same_step_in_which_the_run_ends() -> None:
    desk = succeeded()
    written = desk.board.get("summary", SummaryDoc)
    assert (written.state, written.head) == ("succeeded", desk.run.head)
    assert written.facts == ("1 done", "tier setup: clean")


def test_a_run_that_goes_on_and_ends_again_is_summed_up_again() -> None:
    desk = succeeded()
    desk.directions(spec("one", tier="setup"), spec("two", tier="setup"))
    assert "its summary is written" not in unmet(desk.board), "it is nobody's fault while the run goes on"
    desk.to_landed("T-2")
    assert desk.board.get("summary", SummaryDoc).facts == ("2 done", "tier setup: clean")


def test_a_board_of_an_earlier_version_is_summed_up_by_the_command_itself() -> None:
    desk = succeeded()
    docs = {name: doc for name, doc in desk.board.docs.items() if name != "summary"}
    desk.board = Board(docs)
    assert unmet(desk.board) == ["its summary is written"]
    assert desk.person("promote").one(PromotionRequested)


# --- what the log branch says of it ---


def said(heard: Heard) -> list[tuple[str, list[str]]]:
    return [(one.commit, [it for it in one.conditions if it.startswith("not met")]) for one in heard.of(RunSummed)]


def test_the_log_branch_hears_how_a_run_ended_and_whether_it_may_be_promoted() -> None:
    desk = Desk()
    desk.directions(spec("one", tier="setup"))
    desk.to_intent("T-1")
    one = desk.land("T-1").one(RunSummed)
    assert (one.state, one.commit, one.branch) == ("succeeded", desk.run.head, "callboard/r")
    assert one.facts == ("1 done", "tier setup: clean")
    assert one.conditions[:2] == ("met: the run has succeeded", "met: its summary is written")
    assert all(line.startswith("met: ") for line in one.conditions)


def test_the_log_branch_hears_when_a_condition_changes_and_only_then() -> None:
    desk = succeeded()
    head = desk.run.head
    heard = [desk.hear(IssueReported(report=Report(title="x", key=f"k{n}"), task="T-1"), "person") for n in range(3)]
    [problem] = [line for _, lines in said(heard[2]) for line in lines]
    assert said(heard[0]) == said(heard[1]) == []
    assert problem.startswith(
        "not met: every tier is clean: tier setup is not clean: 3 minor issues are open, 2 may be;"
    )
    assert said(desk.hear(IssueClosed(key="k1", reason="mended"), "person")) == [(head, [])]


def test_the_log_branch_hears_once_that_a_run_goes_on_and_again_how_it_ended() -> None:
    desk = succeeded()
    goes_on = desk.directions(spec("one", tier="setup"), spec("two", tier="setup"))
    assert said(goes_on) == [(desk.run.head, ["not met: the run has succeeded: it goes on"])]
    desk.to_intent("T-2")
    assert said(desk.land("T-2")) == [(desk.run.head, [])]


def test_the_log_branch_hears_of_work_that_lands_after_the_end() -> None:
    desk = succeeded()
    head = "f" * 40
    desk.board = changed(desk, "run", head=head)
    assert said(desk.person("pause")) == [(head, [])]
