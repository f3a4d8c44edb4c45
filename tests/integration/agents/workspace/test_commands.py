from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import psutil
import pytest
from workshop import ENV

from callboard.agents.workspace.commands import TIMED_OUT, Finished, guard_prefix, run_command
from callboard.agents.workspace.sandbox import OFF
from callboard.bus.errors import CommandFailed


def run(
    command: str | list[str], cwd: Path, *, stdin: bytes = b"", timeout_s: float = 30, merge: bool = False
) -> Finished:
    return asyncio.run(
        run_command(
            command, cwd=cwd, env=ENV, sandbox=OFF, timeout_s=timeout_s, stdin=stdin, merge_stderr=merge, grace_s=0.5
        )
    )


def marked(mark: str) -> list[int]:
    """Processes that have the mark on their command line, zombies apart; guards and tests do not count."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = process.info["cmdline"] or []
        if mark in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[str]:
    """A number of seconds to sleep that no other process sleeps."""
    number = f"9{abs(hash(tmp_path)) % 10**8:08d}"
    yield number
    for pid in marked(number):
        os.kill(pid, signal.SIGKILL)


def test_a_command_gets_stdin_and_its_own_environment_and_gives_output_and_exit_code(tmp_path: Path) -> None:
    finished = run("cat; env | sort; pwd; exit 3", tmp_path, stdin=b"given\n")
    lines = finished.stdout.decode().splitlines()
    assert lines[0] == "given"
    assert lines[-1] == str(tmp_path)
    assert {line.partition("=")[0] for line in lines[1:-1]} <= {*ENV, "PWD", "OLDPWD", "SHLVL", "_"}
    assert finished.result.exit_code == 3
    assert not finished.result.passed


def test_an_argument_list_reaches_the_program_without_a_shell(tmp_path: Path) -> None:
    finished = run(["printf", "%s|", "$HOME", "a b", "; exit 9"], tmp_path)
    assert finished.stdout == b"$HOME|a b|; exit 9|"
    assert finished.result.command == "printf '%s|' '$HOME' 'a b' '; exit 9'"


def test_stderr_is_apart_unless_it_is_merged(tmp_path: Path) -> None:
    command = "echo out; echo err >&2; echo out2"
    apart, merged = run(command, tmp_path), run(command, tmp_path, merge=True)
    assert apart.stdout == b"out\nout2\n"
    assert "err" in apart.result.tail
    assert merged.stdout == b"out\nerr\nout2\n"
    assert merged.result.tail == "out\nerr\nout2\n"


def test_the_same_output_has_the_same_digest(tmp_path: Path) -> None:
    one, two = (run("echo a; echo b >&2", tmp_path, merge=True) for _ in range(2))
    assert one.result.digest == two.result.digest != run("echo a", tmp_path).result.digest


@pytest.mark.parametrize(
    ("command", "code"), [(["./absent"], 127), (["/"], 126), ("kill -9 $$", 137), ("kill -15 $$", 143)]
)
def test_ends_of_every_kind_have_the_exit_code_of_a_shell(tmp_path: Path, command: str | list[str], code: int) -> None:
    assert run(command, tmp_path).result.exit_code == code


def test_a_folder_that_is_not_there_is_an_error_not_an_exit_code(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"could not be started in .*absent"):
        run("true", tmp_path / "absent")


def test_much_output_is_cut_to_its_end_and_much_input_is_not_needed(tmp_path: Path) -> None:
    finished = run("head -c 40000000 /dev/zero | tr '\\0' x; echo end", tmp_path, stdin=b"y" * 5_000_000)
    assert len(finished.stdout) == 16 * 1024 * 1024
    assert finished.stdout.endswith(b"xend\n")
    assert len(finished.result.tail) == 2_000


def test_lines_are_reported_while_the_command_runs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    seen: list[str] = []

    async def on_line(line: str) -> None:
        seen.append(line)
        if line == "first":
            (tmp_path / "go").write_text("\n")

    command = "echo first; read go < go; echo second >&2; printf third"
    asyncio.run(run_command(command, cwd=tmp_path, env=ENV, sandbox=OFF, timeout_s=30, on_line=on_line))
    assert seen[0] == "first"
    assert sorted(seen[1:]) == ["second", "third"]


def test_what_a_line_reporter_raises_ends_the_command_and_reaches_the_caller(tmp_path: Path, mark: str) -> None:
    async def on_line(line: str) -> None:
        raise LookupError(line)

    with pytest.raises(LookupError, match="hello"):
        asyncio.run(
            run_command(
                f"echo hello; sleep {mark}",
                cwd=tmp_path,
                env=ENV,
                sandbox=OFF,
                timeout_s=30,
                on_line=on_line,
                grace_s=0.5,
            )
        )
    assert marked(mark) == []


STUBBORN = (
    "trap '' TERM HUP INT; "
    "(setsid sh -c \"trap '' TERM HUP INT; echo > one; sleep {mark} & sleep {mark}\" >/dev/null 2>&1 &) ; "
    "setsid -f sh -c 'echo > two; exec sleep {mark}' ; nohup sleep {mark} & "
    "until [ -e one ] && [ -e two ]; do :; done; {then}"
)
"""Starts processes that called setsid, forked twice, and shrug SIGTERM off; and waits until they did."""


def test_a_command_at_its_time_limit_dies_with_everything_it_started(tmp_path: Path, mark: str) -> None:
    finished = run(STUBBORN.format(mark=mark, then=f"sleep {mark}; sleep {mark}"), tmp_path, timeout_s=0.7)
    assert finished.result.exit_code == TIMED_OUT
    assert marked(mark) == []


def test_what_a_command_leaves_running_when_it_ends_is_killed_at_once(tmp_path: Path, mark: str) -> None:
    finished = run(STUBBORN.format(mark=mark, then="exit 4"), tmp_path)
    assert finished.result.exit_code == 4
    assert marked(mark) == []


def test_without_the_guard_such_processes_live_on(tmp_path: Path, mark: str) -> None:
    argv = ["/bin/sh", "-c", STUBBORN.format(mark=mark, then="exit 4")]
    with subprocess.Popen(argv, start_new_session=True, cwd=tmp_path) as shell:
        shell.wait()
        os.killpg(shell.pid, signal.SIGKILL)
    assert marked(mark) != []


def test_a_cancelled_command_is_dead_before_the_cancellation_is_through(tmp_path: Path, mark: str) -> None:
    async def cancel() -> None:
        ready = asyncio.Event()

        async def on_line(line: str) -> None:
            ready.set()

        command = STUBBORN.format(mark=mark, then=f"echo ready; sleep {mark}")
        running = asyncio.create_task(
            run_command(command, cwd=tmp_path, env=ENV, sandbox=OFF, timeout_s=60, on_line=on_line, grace_s=0.3)
        )
        await ready.wait()
        assert marked(mark) != []
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert marked(mark) == []

    asyncio.run(cancel())


STARTER = """
import asyncio, sys
from pathlib import Path
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.sandbox import OFF
async def say(line): print(line, flush=True)
asyncio.run(run_command(sys.argv[1], cwd=Path.cwd(), env={"PATH": sys.argv[2]}, sandbox=OFF, timeout_s=600, on_line=say, grace_s=0.3))
"""


def test_a_command_dies_with_everything_it_started_when_we_are_killed(tmp_path: Path, mark: str) -> None:
    command = STUBBORN.format(mark=mark, then=f"echo ready; sleep {mark}")
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, command, ENV["PATH"]], stdout=subprocess.PIPE, cwd=tmp_path
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
        below = psutil.Process(starter.pid).children(recursive=True)
        starter.kill()
    _, alive = psutil.wait_procs(below, timeout=300)
    assert alive == []
    assert marked(mark) == []


def test_a_guard_whose_life_is_its_stdin_stops_the_program_when_that_closes(tmp_path: Path, mark: str) -> None:
    argv = [*guard_prefix(grace_s=0.3), "/bin/sh", "-c", f"cat; echo no stdin; sleep {mark}"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV) as guard:
        assert guard.stdin is not None
        assert guard.stdout is not None
        assert guard.stdout.readline() == b"no stdin\n"
        guard.stdin.close()
        assert guard.wait(timeout=300) == 128 + signal.SIGTERM
    assert marked(mark) == []


def test_a_signal_to_the_guard_reaches_the_program_alone_which_ends_in_its_own_order(tmp_path: Path) -> None:
    script = "trap 'echo child >> log; exit 3' TERM; (trap 'echo grandchild >> log' TERM; echo up; while :; do sleep 1; done) & wait"
    argv = [*guard_prefix(grace_s=5), "/bin/sh", "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV, cwd=tmp_path) as guard:
        assert guard.stdout is not None
        assert guard.stdout.readline() == b"up\n"
        guard.terminate()
        assert guard.wait(timeout=300) == 3
    assert (tmp_path / "log").read_text() == "child\n"


def test_a_program_that_kills_its_guard_dies_with_it(tmp_path: Path, mark: str) -> None:
    finished = run(["/bin/sh", "-c", f"kill -9 $PPID; exec sleep {mark}"], tmp_path, timeout_s=20)
    assert finished.result.exit_code == 137
    deadline = time.monotonic() + 10
    while marked(mark) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert marked(mark) == []


@pytest.mark.parametrize(("ask", "asked"), [("command", {"child"}), ("all", {"child", "grandchild"})])
def test_a_closed_life_asks_the_program_alone_or_everything(
    tmp_path: Path, ask: Literal["command", "all"], asked: set[str]
) -> None:
    below = "(trap 'echo grandchild >> log' TERM; echo up; while :; do sleep 0.05; done)"
    script = f"trap 'sleep 1; echo child >> log; exit 3' TERM; {below} & wait"
    argv = [*guard_prefix(grace_s=2, ask=ask), "/bin/sh", "-c", script]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENV, cwd=tmp_path) as guard:
        assert guard.stdin is not None
        assert guard.stdout is not None
        assert guard.stdout.readline() == b"up\n"
        guard.stdin.close()
        assert guard.wait(timeout=300) == 3
    assert set((tmp_path / "log").read_text().split()) == asked
