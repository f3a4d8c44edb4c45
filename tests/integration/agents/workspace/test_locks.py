from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from callboard.agents.workspace.locks import ProcessLock
from callboard.bus.errors import RosterError

HOLD = """
import sys
from pathlib import Path
from callboard.agents.workspace.locks import ProcessLock
lock = ProcessLock(Path(sys.argv[1]))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_and_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / "locks/launch"
    argv = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        with pytest.raises(RosterError, match=rf"`launch` is already running here: process {first.pid} on"):
            ProcessLock(path).acquire()
        holder = ProcessLock(path).holder()
        assert holder is not None
        assert holder.pid == first.pid
        first.kill()
        first.wait()
    assert ProcessLock(path).holder() is None
    lock = ProcessLock(path)
    lock.acquire()
    assert lock.held


def test_a_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    one, two = ProcessLock(tmp_path / "x"), ProcessLock(tmp_path / "x")
    one.acquire()
    with pytest.raises(RosterError):
        two.acquire()
    one.release()
    two.acquire()
    assert (one.held, two.held) == (False, True)
    one.release()


def test_a_program_that_the_holder_started_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = ProcessLock(tmp_path / "x")
    lock.acquire()
    with subprocess.Popen(["sleep", "100"]) as child:
        lock.release()
        ProcessLock(tmp_path / "x").acquire()
        child.kill()


def test_a_lock_nobody_took_has_no_holder(tmp_path: Path) -> None:
    assert ProcessLock(tmp_path / "absent").holder() is None
