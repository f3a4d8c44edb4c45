"""A forked command against one that starts an interpreter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from forked import callboard


@pytest.mark.parametrize("args", [("status", "--json"), ("assign", "--nope")])
def test_a_forked_command_says_and_ends_as_one_of_an_interpreter_of_its_own(
    tmp_path: Path, args: tuple[str, ...]
) -> None:
    argv = [sys.executable, "-m", "callboard", *args]
    started = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    forked = callboard(tmp_path, *args)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)
    assert forked.stderr


def test_it_has_no_other_environment_than_it_is_given(tmp_path: Path) -> None:
    assert "git was not found" in callboard(tmp_path, "doctor", env={"PATH": str(tmp_path)}).stdout


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        callboard(tmp_path, "doctor", timeout_s=0.0)
