from __future__ import annotations

import io
import os
import pty
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import NOW, agent_doc, board_of, roster, run_doc, task_doc
from rich.console import Console

from callboard.bus.board import TaskState
from callboard.cli.live import LineView, LiveView, QuietKeys, choose_view
from callboard.launch.summary import Launcher

LAUNCHER = Launcher(pid=1, host="here", since=NOW)
XTERM = {"TERM": "xterm"}
"""Where the tests run may be no terminal at all."""
BEFORE = board_of(run_doc(), *roster(), task_doc(1, "One"))
AFTER = board_of(
    run_doc(),
    *roster(driver_1=agent_doc("driver-1", state="working", task="T-1", doing="running pytest")),
    task_doc(1, "One", TaskState.WORKING, attempt=1),
)


def test_lines_carry_their_time_and_tell_only_what_is_new() -> None:
    out = io.StringIO()
    view = LineView(out, lambda: NOW)
    view.event("the server is up")
    for board in (BEFORE, BEFORE, AFTER, AFTER):
        view.board(board)
    view.close()
    assert out.getvalue().splitlines() == [
        "09:14:07Z the server is up",
        "09:14:07Z run run-1 is running: 0 of 1 tasks done",
        "09:14:07Z T-1 One: driver-1 works on it",
    ]
    assert view.last == AFTER


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="nothing here is full")
def test_output_on_a_full_disk_ends_nothing() -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - what it still holds cannot be written as it is closed
    LineView(full, lambda: NOW).event("the server is down")
    with pytest.raises(OSError, match="No space left"):
        full.close()
    with pytest.raises(ValueError, match="closed"):
        LineView(full, lambda: NOW).event("anything else is not hidden")


def test_the_live_view_tells_the_same_above_its_picture_and_leaves_the_last_picture_standing() -> None:
    out = Console(
        file=io.StringIO(), force_terminal=True, width=80, height=24, color_system=None, highlight=False, _environ=XTERM
    )
    view = LiveView(out, lambda: NOW, LAUNCHER)
    view.event("the server is up")
    view.board(BEFORE)
    view.board(AFTER)
    view.event("stopping")
    view.close()
    assert isinstance(out.file, io.StringIO)
    said = out.file.getvalue()
    assert "09:14:07Z T-1 One: driver-1 works on it" in said
    last = said.rpartition("run-1  running")[2]
    assert "absent: manager, driver-1" in last
    assert "T-1 running pytest" in said


def test_a_view_that_never_saw_a_board_leaves_nothing_behind() -> None:
    out = Console(file=io.StringIO(), force_terminal=True, width=80, height=24, color_system=None, _environ=XTERM)
    LiveView(out, lambda: NOW, LAUNCHER).close()
    assert isinstance(out.file, io.StringIO)
    assert out.file.getvalue().strip() == ""


def test_scripts_get_lines_on_stderr_so_that_stdout_is_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    choose_view(LAUNCHER, json=True).event("hello")
    said = capsys.readouterr()
    assert (said.out, said.err.endswith("Z hello\n")) == ("", True)


def test_where_stdout_is_no_terminal_lines_go_there(capsys: pytest.CaptureFixture[str]) -> None:
    choose_view(LAUNCHER, json=False).event("hello")
    assert capsys.readouterr().out.endswith("Z hello\n")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A real terminal as stdin; its descriptor."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield stdin.fileno()
    os.close(master)


def echoes_keys(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHOCTL)


def test_ctrl_c_is_not_written_into_the_picture_and_the_terminal_is_as_before_afterwards(terminal: int) -> None:
    assert echoes_keys(terminal)
    keys = QuietKeys()
    keys.hush()
    assert not echoes_keys(terminal)
    keys.restore()
    assert echoes_keys(terminal)


def test_without_a_terminal_there_is_nothing_to_hush(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    keys = QuietKeys()
    keys.hush()
    keys.restore()
