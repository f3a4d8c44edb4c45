"""python -m callboard.demo DIR, as the containers call it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def lay_out(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "callboard.demo", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def head_of(path: Path) -> str:
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=path, capture_output=True, text=True, check=True).stdout


def test_it_fills_a_folder_once_and_then_leaves_the_repository_alone(tmp_path: Path) -> None:
    assert lay_out(tmp_path).returncode == 0
    first = head_of(tmp_path)
    (tmp_path / "app" / "mine.py").write_text("mine")
    again = lay_out(tmp_path)
    assert (again.returncode, head_of(tmp_path)) == (0, first)
    assert "left as it is" in again.stdout


def test_it_leaves_a_folder_that_is_no_repository_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    refused = lay_out(tmp_path)
    assert refused.returncode == 2
    assert "not empty" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_it_wants_one_folder() -> None:
    assert lay_out().returncode == 2
