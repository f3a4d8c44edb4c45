"""Where the kernel lets nobody have namespaces, as in most containers: what holds, what does not, and who says so."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from roster import HANG_S, Workspace, task
from workshop import imprint

SUPPORT = Path(__file__).parents[2] / "support"
WITHOUT = (sys.executable, str(SUPPORT / "without_namespaces.py"))
NOT_HELD = {"test_a_command_reaches_the_server_that_it_started_itself", "test_a_command_changes_no_mode_of_others"}
"""What docs/sandbox.md says cannot be had there."""


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("weak") / "project")
    made.init({"driver-1": task("1 - One")})
    return made


def callboard(made: Workspace, *args: str, kind: str) -> tuple[int, str]:
    env = {**os.environ, "CALLBOARD_SANDBOX_KIND": kind}
    argv = [*WITHOUT, sys.executable, "-m", "callboard", *args]
    done = subprocess.run(argv, cwd=made.path, env=env, capture_output=True, text=True, timeout=300, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_doctor_says_what_does_not_hold(workspace: Workspace) -> None:
    """With namespaces it says `ok`: tests/integration/cli/test_before_a_launch.py."""
    _, told = callboard(workspace, "doctor", "--json", kind="sandlock")
    found = next(check for check in json.loads(told)["checks"] if check["name"] == "sandbox")
    assert found["state"] == "warn"
    assert "no network, not even to servers that a command starts itself" in found["text"]
    assert "not held: chmod of files outside" in found["text"]


def test_a_launch_is_refused_when_the_sandbox_that_is_configured_cannot_hold(workspace: Workspace) -> None:
    before = imprint(workspace.path)
    code, said = callboard(workspace, "launch", kind="bubblewrap")
    assert code != 0
    assert "the sandbox does not hold here (bubblewrap: " in said
    assert 'write kind = "off" under [sandbox]' in said
    assert "Traceback" not in said
    assert imprint(workspace.path) == before, "nothing was started or changed"


def test_one_that_holds_there_is_launched_and_what_it_does_not_hold_is_said(workspace: Workspace) -> None:
    """The control: it is the sandbox that the launch above is refused for."""
    code, said = callboard(workspace, "launch", "--dry-run", kind="sandlock")
    assert code == 0, said
    assert "not held: chmod of files outside" in said


@pytest.mark.long
def test_all_other_walls_stand_there() -> None:
    """The whole of test_sandbox_walls.py once more, by a pytest that can have no namespaces."""
    suite = Path(__file__).with_name("test_sandbox_walls.py")
    argv = [*WITHOUT, sys.executable, "-m", "pytest", "-q", "-k", "sandlock", str(suite)]
    done = subprocess.run(argv, cwd=suite.parents[3], capture_output=True, text=True, timeout=HANG_S, check=False)
    failed = {line.partition("::")[2].partition("[")[0] for line in done.stdout.splitlines() if line[:6] == "FAILED"}
    assert failed == NOT_HELD, done.stdout[-3000:]
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) >= 30
