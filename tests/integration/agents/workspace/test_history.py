"""Logs and documents on branches of a real repository, whose checkout nobody notices."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.history import BranchHistory

AT = datetime(2026, 11, 21, 9, 14, 7, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", "Begin\n\nJournal-Seq: user/1")
    return tmp_path


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_files_are_committed_by_the_agent_on_a_branch_of_their_own(folder: Path) -> None:
    history = BranchHistory(Repository(folder))
    history.commit("driver-1/log", {"feedback/driver-1.md": b"one"}, "Log\n\nJournal-Seq: r1/1", "driver-1", AT)
    history.commit("driver-1/log", {"reviews/a.md": b"two"}, "Log\n\nJournal-Seq: r1/2", "driver-1", AT)
    assert git(folder, "log", "--format=%an %at %s", "driver-1/log").splitlines() == [
        "driver-1 1795252447 Log",
        "driver-1 1795252447 Log",
    ]
    assert git(folder, "ls-tree", "-r", "--name-only", "driver-1/log") == "feedback/driver-1.md\nreviews/a.md"
    assert git(folder, "status", "--porcelain") == ""


def test_the_same_files_again_are_no_commit(folder: Path) -> None:
    history = BranchHistory(Repository(folder))
    for _ in range(2):
        history.commit("driver-1/log", {"a.md": b"one"}, "Log", "driver-1", AT)
    assert git(folder, "rev-list", "--count", "driver-1/log") == "1"


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Log\n\nJournal-Seq: r1/7", "r1/7"),
        ("Log\n\nJournal-Seq: r1/7\nJournal-Seq: r1/8", "r1/8"),
        ("Log", ""),
        ("Log\n\nOther: r1/7", ""),
    ],
)
def test_a_trailer_is_that_of_the_branchs_last_commit(folder: Path, message: str, found: str) -> None:
    history = BranchHistory(Repository(folder))
    assert history.trailer("driver-1/log", "Journal-Seq") == ""
    history.commit("driver-1/log", {"a.md": b"one"}, "Log\n\nJournal-Seq: r1/1", "driver-1", AT)
    history.commit("driver-1/log", {"a.md": b"two"}, message, "driver-1", AT)
    assert history.trailer("driver-1/log", "Journal-Seq") == found
