from __future__ import annotations

from dataclasses import replace

from boards import BASE, NOW, agent_doc, blocker_doc, board_of, intent_doc, question_doc, roster, run_doc, task_doc

from callboard.bus.board import Board, ProblemDoc, TaskState, Verdict
from callboard.bus.problems import Rung
from callboard.launch.rows import by_field
from callboard.launch.summarise import summarise
from callboard.launch.summary import Launcher, Spend, Status

LAUNCHER = Launcher(pid=7, host="here", since=NOW)


def test_a_repository_without_a_run_has_an_empty_status() -> None:
    assert replace(summarise(Board()), spend=Spend()) == Status(run=None)


def test_the_keys_that_scripts_rely_on_are_there_and_no_others() -> None:
    status = summarise(board_of(run_doc()))
    assert list(by_field(status)) == [
        "run",
        "agents",
        "tasks",
        "questions",
        "blockers",
        "merges",
        "branches",
        "spend",
        "full",
    ]


def test_the_run_says_whether_a_roster_runs_here_and_who_started_it() -> None:
    running = summarise(board_of(run_doc()), launcher=LAUNCHER).run
    stopped = summarise(board_of(run_doc())).run
    assert running is not None
    assert stopped is not None
    assert (running.running, running.launcher) == (True, LAUNCHER)
    assert (stopped.running, stopped.launcher) == (False, None)


def test_tasks_are_counted_by_state_without_the_states_that_have_none() -> None:
    tasks = [task_doc(1, "One", TaskState.DONE), task_doc(2, "Two"), task_doc(3, "Three")]
    run = summarise(board_of(run_doc(), *tasks)).run
    assert run is not None
    assert run.task_counts == {"queued": 2, "done": 1}


def test_a_task_names_its_place_in_the_direction_file_and_the_agent_it_is_meant_for_before_it_is_assigned() -> None:
    row = summarise(board_of(run_doc(), task_doc(4, "Four", agent="driver-2"))).tasks[0]
    assert (row.source, row.agent, row.key) == ("directions/driver-2.md:40", "driver-2", "driver-2/four")


def test_agents_stand_in_the_order_manager_drivers_reviewers_and_those_who_left_are_gone() -> None:
    gone = agent_doc("driver-9", role="")
    names = [row.name for row in summarise(board_of(run_doc(), *roster(), gone)).agents]
    assert names == ["manager", "driver-1", "driver-2", "junior-1", "junior-2", "senior"]


def test_a_reviewer_holds_the_reviews_it_has_not_answered() -> None:
    given = {"senior": Verdict(vote="approved")}
    task = task_doc(1, "One", TaskState.REVIEW, reviewers=("senior", "junior-1"), verdicts=given)
    agents = {row.name: row for row in summarise(board_of(run_doc(), *roster(), task)).agents}
    assert (agents["junior-1"].state, agents["junior-1"].tasks) == ("working", ("T-1",))
    assert (agents["senior"].state, agents["senior"].tasks) == ("idle", ())


def test_the_manager_holds_what_is_at_the_gate_or_merging() -> None:
    tasks = [task_doc(1, "One", TaskState.GATE), task_doc(2, "Two", TaskState.MERGING), task_doc(3, "Three")]
    manager = summarise(board_of(run_doc(), *roster(), *tasks)).agents[0]
    assert (manager.state, manager.tasks, manager.doing) == ("working", ("T-1", "T-2"), "gates and merges")


def test_an_agent_that_is_down_is_not_shown_as_working() -> None:
    task = task_doc(1, "One", TaskState.REVIEW, reviewers=("senior",))
    down = agent_doc("senior", state="down", doing="five deaths in a minute")
    (row,) = summarise(board_of(run_doc(), down, task)).agents
    assert (row.state, row.doing) == ("down", "five deaths in a minute")


def test_only_open_questions_and_blockers_are_listed() -> None:
    open_one, closed = question_doc(1, "T-1", "Which?"), question_doc(2, "T-2", "Why?", state="closed")
    raised, resolved = blocker_doc(1, "T-1", "no key"), blocker_doc(2, "T-2", "none", state="resolved")
    status = summarise(board_of(run_doc(), open_one, closed, raised, resolved))
    assert [row.id for row in status.questions] == ["q-1"]
    assert [(row.id, row.question) for row in status.blockers] == [("B-1", "q-1")]


def test_a_blocker_shows_who_is_asked_about_it_and_why_nobody_before_had_an_answer() -> None:
    rungs = (
        Rung(name="canon", state="silent", why="no document", at=NOW),
        Rung(name="senior", state="asked", at=NOW),
    )
    raised = blocker_doc(1, "T-1", "no key", question="")
    task = task_doc(1, "One", TaskState.BLOCKED, blocker="B-1", reason="no key")
    problem = ProblemDoc(version=1, id="p", task="T-1", blocker="B-1", rungs=rungs, consult="B-1.senior")
    status = summarise(board_of(run_doc(), task, raised, problem))
    assert [(row.question, row.rung, row.rungs) for row in status.blockers] == [("", "senior", ("canon: no document",))]
    assert status.tasks[0].reason == "no key (asks senior)"
    asked = summarise(board_of(run_doc(), task_doc(1, "One"), blocker_doc(1, "T-1", "no key")))
    assert (asked.blockers[0].rung, asked.tasks[0].reason) == ("person", "")


def test_merges_tell_what_has_landed_from_what_is_landing() -> None:
    tasks = [task_doc(1, "One", TaskState.DONE), task_doc(2, "Two", TaskState.MERGING)]
    status = summarise(board_of(run_doc(), *tasks, intent_doc(1, "T-1"), intent_doc(2, "T-2", state="open")))
    assert [(row.task, row.title, row.state) for row in status.merges] == [
        ("T-1", "One", "landed"),
        ("T-2", "Two", "landing"),
    ]


def test_branches_are_listed_under_the_agent_whose_they_are() -> None:
    branches = {"main": BASE, "driver-1/work": BASE, "driver-1/log": BASE, "driver-11/work": BASE}
    status = summarise(board_of(run_doc(), agent_doc("driver-1"), agent_doc("senior")), branches=branches)
    assert status.branches == {"driver-1": {"driver-1/log": BASE, "driver-1/work": BASE}, "senior": {}}


def test_spend_counts_attempts_and_admits_that_tokens_and_money_are_unknown() -> None:
    tasks = [task_doc(1, "One", TaskState.DONE, attempt=2), task_doc(2, "Two", attempt=1)]
    assert replace(summarise(board_of(run_doc(), *tasks)).spend, caps={}) == Spend(attempts=3)


def test_a_parked_agent_is_shown_with_its_time_and_reason() -> None:
    doc = agent_doc("driver-1", parked_until=NOW, parked_for="429 from big")
    (row,) = summarise(board_of(run_doc(), doc)).agents
    assert row.parked_until == NOW
    assert row.doing == f"parked until {NOW:%Y-%m-%d %H:%M:%SZ}: 429 from big"
