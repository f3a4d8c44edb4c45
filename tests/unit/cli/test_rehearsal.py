from __future__ import annotations

from boards import NOW, ROSTER, board_of, run_doc, task_doc

from callboard.agents.manager.decision import Policy
from callboard.bus.board import TaskState
from callboard.bus.messages import DirectionFile, DirectionsRead
from callboard.bus.task import Briefing, TaskSpec
from callboard.cli.rehearsal import Waiting, ended, in_order, rehearse


def spec(title: str, **values: object) -> TaskSpec:
    made = TaskSpec(key=f"driver-1/{title.lower()}", title=title, agent="driver-1")
    return made.model_copy(update={"source": made.source.model_copy(update={"kind": "direction"}), **values})


def rehearsed(*specs: TaskSpec, landed: dict[str, str] | None = None) -> tuple[dict[str, tuple[Waiting, ...]], int]:
    file = DirectionFile(briefing=Briefing(agent="driver-1", version=""), tasks=specs)
    read = DirectionsRead(files=(file,), landed=landed or {})
    board = rehearse(board_of(run_doc(state="created")), dict(ROSTER), read, NOW, Policy(gate=("true",)))
    return in_order(board), ended(board)


def test_tasks_come_in_the_order_in_which_they_would_be_assigned() -> None:
    agents, _ = rehearsed(spec("Later", priority=4, order=0), spec("First", priority=0, order=2), spec("Next", order=1))
    assert [task.title for task in agents["driver-1"]] == ["First", "Next", "Later"]


def test_what_a_task_waits_for_is_said() -> None:
    agents, _ = rehearsed(spec("One"), spec("Two", depends_on=("driver-1/one",), order=1))
    assert agents["driver-1"][1].waits_for == ("driver-1/one",)


def test_a_task_that_somebody_has_to_release_is_shown_as_blocked() -> None:
    agents, _ = rehearsed(spec("One", blocked_by="the certificate"))
    assert (agents["driver-1"][0].state, "certificate" in agents["driver-1"][0].reason) == ("blocked", True)


def test_what_landed_before_with_the_same_text_is_counted_and_not_listed() -> None:
    done = spec("One")
    agents, already = rehearsed(done, spec("Two", order=1), landed={done.key: done.digest})
    assert [task.title for task in agents["driver-1"]] == ["Two"]
    assert already == 1


def test_the_board_that_was_asked_stays_as_it_is() -> None:
    board = board_of(run_doc(), task_doc(1, "One", TaskState.DONE))
    rehearse(board, dict(ROSTER), DirectionsRead(files=()), NOW, Policy(gate=("true",)))
    assert list(board.docs) == ["run", "task:T-1"]
