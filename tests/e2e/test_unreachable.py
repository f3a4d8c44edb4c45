"""An agent that cannot be reached is replaced, and its work is kept."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest
from roster import HANG_S, Workspace, run_git, task, until

DRIVER = """
import json, os, pathlib, sys, time
json.load(sys.stdin)
began = pathlib.Path(os.environ["HOME"], "began")
pathlib.Path("half.txt").write_text("half done\\n")
if not began.exists():
    began.touch()
    time.sleep(3600)
pathlib.Path("half.txt").unlink()
pathlib.Path("whole.txt").write_text("whole\\n")
"""


@pytest.mark.long
def test_a_stopped_driver_is_replaced_its_task_is_done_and_what_its_clone_held_is_kept(
    workspace: Callable[..., Workspace],
) -> None:
    made = workspace(extra="[bus]\nunreachable_s = 20.0\n")
    program = made.path.parent / "stops.py"
    program.write_text(DRIVER)
    made.drivers = {"driver-1": f"{sys.executable} {program}"}
    made.init({"driver-1": task("1 - All of it", Paths="`*.txt`"), "driver-2": ""})
    launch = made.start()
    half = made.path / ".callboard/clones/driver-1/half.txt"
    until(half.exists)
    stopped = made.process("driver-1")
    assert stopped is not None
    stopped.suspend()
    output, _ = launch.communicate(timeout=HANG_S)
    assert launch.returncode == 0, output
    assert "driver-1 cannot be reached: nothing was heard of it for 20 s" in output
    assert not stopped.is_running(), "it is ended, so it commits nothing any more"
    assert "whole.txt" in made.files(made.integration())
    vault = made.path / ".callboard/vaults/driver-1.git"
    refs = run_git(vault, "for-each-ref", "--format=%(refname)", "refs/wip").splitlines()
    kept = [ref for ref in refs if "half.txt" in run_git(vault, "ls-tree", "--name-only", ref).splitlines()]
    assert kept, "what its clone held is under no ref"
    listed = json.dumps(made.json("recover"))
    assert all(ref.removeprefix("refs/") in listed for ref in kept)
