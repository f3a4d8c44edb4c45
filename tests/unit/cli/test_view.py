from __future__ import annotations

import io

import pytest
from boards import NOW, agent_doc, board_of, intent_doc, question_doc, roster, run_doc, task_doc
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from callboard.bus.board import Board, TaskState
from callboard.cli.output import console
from callboard.cli.view import ago, fit, render
from callboard.launch.summarise import summarise
from callboard.launch.summary import NO_RUN

LONG = "A title that goes on and on, far beyond what any terminal that people still have open will ever show in a line"


def drawn(board: Board, *, width: int = 80, height: int | None = None, rows: int | None = None) -> list[str]:
    out = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False)
    out.print(render(summarise(board), height=height, rows=rows, now=NOW))
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def busy_board(tasks: int, questions: int = 0, merges: int = 0) -> Board:
    states = list(TaskState)
    rows = [task_doc(n, LONG, states[n % len(states)], attempt=1, reason=LONG) for n in range(1, tasks + 1)]
    working = agent_doc("driver-1", state="working", task="T-1", doing=LONG, progress_at=NOW)
    asked = [question_doc(n, "T-1", LONG) for n in range(1, questions + 1)]
    landed = [intent_doc(n, "T-1") for n in range(1, merges + 1)]
    return board_of(run_doc(detail=LONG), *roster(driver_1=working), *rows, *asked, *landed)


@given(
    width=st.integers(80, 200),
    height=st.integers(12, 60),
    tasks=st.integers(0, 300),
    questions=st.integers(0, 20),
    merges=st.integers(0, 300),
)
def test_the_picture_never_outgrows_the_place_it_is_given(
    width: int, height: int, tasks: int, questions: int, merges: int
) -> None:
    lines = drawn(busy_board(tasks, questions, merges), width=width, height=height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


@given(
    height=st.integers(12, 60),
    agents=st.integers(1, 40),
    tasks=st.integers(0, 300),
    needs=st.integers(0, 40),
    merges=st.integers(0, 300),
)
def test_every_line_that_is_left_goes_to_the_tasks(
    height: int, agents: int, tasks: int, needs: int, merges: int
) -> None:
    caps = fit(agents, tasks, needs, merges, height)
    used = 2 + sum(count + 2 for count in (caps.agents, caps.needs, caps.merges, min(tasks, caps.tasks)) if count)
    assert used <= height
    assert used == height or caps.tasks >= tasks or caps.tasks == 1


def test_a_question_is_in_the_picture_however_many_tasks_there_are() -> None:
    assert any(line.startswith("q-1") for line in drawn(busy_board(300, questions=5, merges=50), height=12))


def test_what_moves_stands_before_what_waits_and_what_is_done_comes_last() -> None:
    tasks = [
        task_doc(1, "Done", TaskState.DONE),
        task_doc(2, "Later", priority=4),
        task_doc(3, "Urgent", priority=0),
        task_doc(4, "Now", TaskState.WORKING, attempt=1),
    ]
    lines = drawn(board_of(run_doc(), *tasks))
    assert [line.split()[0] for line in lines if line.startswith("T-")] == ["T-4", "T-3", "T-2", "T-1"]


def test_a_list_that_is_cut_says_how_much_is_missing() -> None:
    tasks = [task_doc(number, "Waits") for number in range(1, 301)]
    lines = drawn(board_of(run_doc(), *tasks), rows=20)
    assert sum(line.startswith("T-") for line in lines) == 19
    assert "and 281 more: `callboard status --all`" in lines


def test_without_a_height_every_word_is_shown() -> None:
    board = board_of(run_doc(), task_doc(1, LONG), question_doc(1, "T-1", LONG))
    assert " ".join(" ".join(drawn(board)).split()).count("ever show in a line") == 2


def test_agents_that_wait_share_a_line_in_the_live_view() -> None:
    lines = drawn(board_of(run_doc(), *roster(), task_doc(1, "One")), height=20)
    assert "idle: manager, driver-1, driver-2, junior-1, junior-2, senior" in lines


def test_a_stopped_roster_is_not_drawn_as_if_it_worked() -> None:
    assert "roster stopped" in drawn(board_of(run_doc()))[0]


def test_markup_and_escapes_in_a_title_are_shown_as_they_are() -> None:
    lines = drawn(board_of(run_doc(), task_doc(1, "[red]Stop[/red] \x1b[31mnow")))
    assert any("[red]Stop[/red] ␛[31mnow" in line for line in lines)


def test_where_there_is_no_run_that_is_what_it_says() -> None:
    out = Console(file=io.StringIO(), width=80)
    out.print(render(NO_RUN))
    assert isinstance(out.file, io.StringIO)
    assert out.file.getvalue() == "no run yet\n"


@pytest.mark.parametrize(
    ("seconds", "said"), [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (7_300, "2 h"), (200_000, "2 d")]
)
def test_ages_are_said_in_one_unit(seconds: float, said: str) -> None:
    assert ago(seconds) == said


def test_no_colour_is_used_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = console()
    with out.capture() as capture:
        out.print(render(summarise(busy_board(20))))
    assert "\x1b[3" not in capture.get()


def test_standing_work_says_when_it_is_due_again() -> None:
    watch = task_doc(1, "Watch", standing=True, not_before=NOW, rounds=3, reason="standing: merged")
    board = board_of(run_doc(), watch)
    [line] = [line for line in drawn(board) if line.startswith("T-1")]
    assert line.rstrip().endswith(f"Watch  standing, due at {NOW:%H:%M}Z")
    assert summarise(board).tasks[0].due_at == NOW
