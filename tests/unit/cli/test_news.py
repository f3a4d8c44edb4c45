from __future__ import annotations

from datetime import UTC, datetime

from boards import agent_doc, blocker_doc, board_of, intent_doc, question_doc, run_doc, task_doc

from callboard.agents.manager.questions import blocked_text
from callboard.agents.manager.review_stops import WAYS
from callboard.bus.board import Board, BriefingDoc, Doc, TaskState
from callboard.bus.deployments import DeploymentDoc, Edge
from callboard.cli.news import news, odd_directions, opening


def told(before: Doc, after: Doc) -> list[str]:
    return news(board_of(run_doc(), before), board_of(run_doc(), after))


def test_nothing_is_said_when_nothing_changed() -> None:
    board = board_of(run_doc(), agent_doc("driver-1"), task_doc(1, "One"), question_doc(1, "T-1", "Which?"))
    assert news(board, board) == []


def test_a_task_that_is_taken_up_names_its_agent_and_attempt() -> None:
    before = task_doc(1, "One", TaskState.CHANGES_REQUESTED, attempt=1)
    after = task_doc(1, "One", TaskState.WORKING, attempt=2)
    assert told(before, after) == ["T-1 One: driver-1 works on it (attempt 2)"]


def test_an_attempt_that_begins_and_ends_between_two_looks_is_still_told() -> None:
    before = task_doc(1, "One", TaskState.WORKING, attempt=1)
    assert told(before, task_doc(1, "One", TaskState.WORKING, attempt=2))


def test_states_that_only_pass_by_are_not_told() -> None:
    assert told(task_doc(1, "One"), task_doc(1, "One", TaskState.ASSIGNED, attempt=1)) == []


def test_three_hundred_new_tasks_take_one_line() -> None:
    tasks = [task_doc(number, f"Task {number}") for number in range(1, 301)]
    assert news(board_of(run_doc()), board_of(run_doc(), *tasks)) == ["300 tasks queued: T-1, T-2, ... T-300"]


def test_why_a_task_came_back_is_said() -> None:
    after = task_doc(1, "One", TaskState.CHANGES_REQUESTED, attempt=1, reason="gate red: pytest -q exited with 1")
    said = told(task_doc(1, "One", TaskState.GATE, attempt=1), after)
    assert said == ["T-1 One: sent back: gate red: pytest -q exited with 1"]


def test_a_landing_is_told_once_with_the_branch_and_the_commit() -> None:
    merging, done = (task_doc(1, "One", state, attempt=1) for state in (TaskState.MERGING, TaskState.DONE))
    landing, landed = intent_doc(1, "T-1", state="open"), intent_doc(1, "T-1")
    done = done.model_copy(update={"landed": landed.new, "reason": "landed"})
    said = news(board_of(run_doc(), merging, landing), board_of(run_doc(), done, landed))
    assert said == [f"T-1 One: landed, callboard/run-1 is at {landed.new[:12]}"]


def test_a_task_that_is_done_without_a_commit_says_why() -> None:
    after = task_doc(1, "One", TaskState.DONE, attempt=1, reason="accepted on its evidence")
    assert told(task_doc(1, "One", TaskState.REVIEW, attempt=1), after) == ["T-1 One: done: accepted on its evidence"]


def test_a_question_comes_with_the_command_that_answers_it() -> None:
    (said,) = news(board_of(run_doc()), board_of(run_doc(), question_doc(1, "T-1", "Which?")))
    assert said == 'q-1 needs an answer (callboard answer q-1 "..."): Which?'


def test_what_a_long_question_needs_is_read_to_its_end() -> None:
    text = blocked_text("T-1", "no " * 2_000, WAYS)
    (said,) = news(board_of(run_doc()), board_of(run_doc(), question_doc(1, "T-1", text)))
    assert (len(said), said.endswith(f"… It needs: {WAYS}")) == (240, True)
    assert said.startswith('q-1 needs an answer (callboard answer q-1 "..."): T-1 is blocked: no no ')


def test_a_finding_as_long_as_a_page_is_cut_to_what_is_read_at_a_glance() -> None:
    after = task_doc(1, "One", TaskState.CHANGES_REQUESTED, attempt=1, reason="no " * 2_000)
    (said,) = told(task_doc(1, "One", TaskState.REVIEW, attempt=1), after)
    assert (len(said), said[-2:]) == (240, " …")


def test_a_resolved_blocker_says_by_what() -> None:
    raised = blocker_doc(1, "T-1", "no key")
    assert told(raised, raised.model_copy(update={"state": "resolved", "answer": "Use mine"})) == [
        "B-1 of T-1 is resolved: Use mine"
    ]


def test_agents_that_come_go_and_break_down_are_told_once() -> None:
    absent, idle = agent_doc("driver-1", state="absent"), agent_doc("driver-1")
    down = agent_doc("driver-1", state="down", doing="five deaths in a minute")
    assert told(absent, idle) == ["driver-1 is at work"]
    assert told(idle, absent) == ["driver-1 has stopped"]
    assert told(idle, down) == ["driver-1 is down: five deaths in a minute"]
    assert told(down, down) == []


def test_what_an_agent_wrote_cannot_break_out_of_its_line() -> None:
    after = task_doc(1, "One\x1b[2J\nT-9 landed", TaskState.BLOCKED, attempt=1, reason="a\r\nb")
    (said,) = told(task_doc(1, "One"), after)
    assert said == "T-1 One␛[2J T-9 landed: blocked: a b"


def test_somebody_who_begins_to_listen_hears_how_things_stand() -> None:
    docs = (task_doc(1, "One", TaskState.DONE), task_doc(2, "Two"), question_doc(1, "T-2", "Which?"))
    first, second = opening(board_of(run_doc(), *docs))
    assert first == "run run-1 is running: 1 of 2 tasks done"
    assert second.startswith("q-1 needs an answer")
    assert opening(Board()) == []


def test_a_deployment_says_where_it_stands_without_the_commands_that_ran_and_its_reason_once() -> None:
    def doc(state: str, **values: object) -> DeploymentDoc:
        edge = Edge(source="testing", to="reviewing", event="test", facts=("1 of 1 tests passed", "`make test` -> 0"))
        fields = {"version": 1, "id": "d-1", "environment": "staging", "state": state, "history": (edge,)}
        return DeploymentDoc.model_validate({**fields, **values})

    def seen(before: DeploymentDoc, after: DeploymentDoc) -> list[str]:
        boards = (Board({**board_of(run_doc()).docs, "deployment:d-1": one}) for one in (before, after))
        return news(*boards)

    assert seen(doc("testing"), doc("reviewing")) == ["d-1 staging: reviewing: 1 of 1 tests passed"]
    going = doc("rolled_back", step="roll_back", reason="too many errors")
    assert seen(doc("baking"), going) == ["d-1 staging: rolling back: too many errors"]
    gone = doc("rolled_back", reason="too many errors", ended_at=datetime(2026, 11, 22, tzinfo=UTC))
    assert seen(going, gone) == ["d-1 staging: rolled back"]
    assert seen(doc("baking"), gone) == ["d-1 staging: rolled back: too many errors"]


def test_what_is_odd_in_a_direction_file_is_said_once_and_a_long_list_is_cut() -> None:
    agents = (agent_doc("driver-1"), agent_doc("gone", role=""))
    large = "directions/driver-1.md: is larger than 1,000,000 bytes"
    before = Board({**board_of(run_doc(), *agents).docs})
    after = Board({**before.docs, "briefing:driver-1": BriefingDoc(version=1, problems=(large,))})
    assert news(before, after) == [f"note: {large}"]
    assert (news(after, after), odd_directions(after)) == ([], [f"note: {large}"])
    many = BriefingDoc(version=2, problems=tuple(f"f:{line}: odd" for line in range(9)))
    assert odd_directions(Board({**before.docs, "briefing:driver-1": many}))[5:] == [
        "note: f:5: odd",
        "3 more notes: `callboard directions check`",
    ]
    assert odd_directions(Board({**before.docs, "briefing:gone": many})) == [], "its file is not read any more"
