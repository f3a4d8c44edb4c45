"""`callboard directions check`, as people and scripts call it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from forked import callboard

TASK = "---\nlast_reviewed: 2026-03-01\n---\n### Task 1 - A\n**Evidence**: x\n**Serves**: you\n"
ROSTER = '[[agents]]\nname = "driver-1"\nrole = "driver"\ncommand = "x"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "directions").mkdir()
    (tmp_path / "directions" / "driver-1.md").write_text(TASK, encoding="utf-8")
    return tmp_path


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return callboard(folder, "directions", "check", *arguments)


def messages(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [problem["message"] for file in json.loads(done.stdout)["files"] for problem in file["problems"]]


def test_files_are_checked_without_any_workspace(folder: Path) -> None:
    done = check(folder, "directions/driver-1.md", "--json")
    assert done.returncode == 0
    (file,) = json.loads(done.stdout)["files"]
    assert file["path"] == "directions/driver-1.md"
    assert file["tasks"][0]["key"] == "driver-1/a"
    assert done.stderr == ""


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_still_shown(folder: Path) -> None:
    done = check(folder, "gone.md", "directions/driver-1.md")
    assert done.returncode == 1
    assert "gone.md: cannot be read: No such file or directory\n" in done.stdout
    assert "directions/driver-1.md: 1 task, 0 rules" in done.stdout


def test_without_a_file_all_of_the_workspace_are_held_against_its_roster(folder: Path) -> None:
    (folder / "callboard.toml").write_text(ROSTER, encoding="utf-8")
    (folder / "directions" / "stranger.md").write_text(TASK, encoding="utf-8")
    (folder / "directions" / "README.md").write_text("# About these files", encoding="utf-8")
    done = check(folder / "directions", "--json")
    assert [file["path"] for file in json.loads(done.stdout)["files"]] == ["driver-1.md", "stranger.md"]
    assert "no agent is called stranger; the roster has driver-1, manager" in messages(done)


def test_a_dependency_finds_its_task_in_a_file_that_is_not_checked(folder: Path) -> None:
    (folder / "callboard.toml").write_text(ROSTER + ROSTER.replace("driver-1", "driver-2"), encoding="utf-8")
    other = folder / "directions" / "driver-2.md"
    other.write_text(TASK + "**Depends**: driver-1/a, driver-1/b\n", encoding="utf-8")
    found = [message for message in messages(check(folder, "directions/driver-2.md", "--json")) if "depends" in message]
    assert found == ["'A' depends on driver-1/b, which the direction of driver-1 does not have"]


def test_a_broken_configuration_stops_a_check_of_the_workspace_but_not_of_a_named_file(folder: Path) -> None:
    (folder / "callboard.toml").write_text("[projct]\n", encoding="utf-8")
    everything = check(folder)
    assert everything.returncode == 2
    assert "callboard.toml:1: projct: is no key that Callboard knows; did you mean project?" in everything.stderr
    named = check(folder, "directions/driver-1.md")
    assert named.returncode == 0
    assert "checked without the roster: callboard.toml:1: projct" in named.stderr


def test_a_configuration_outside_the_repository_is_not_its_own(folder: Path) -> None:
    (folder / "callboard.toml").write_text("[projct]\n", encoding="utf-8")
    (folder / "directions" / ".git").mkdir()
    done = check(folder / "directions", "driver-1.md")
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_file_and_a_workspace_it_says_what_to_do(folder: Path) -> None:
    done = check(folder)
    assert done.returncode == 2
    assert "`callboard init` writes one" in done.stderr


def test_a_workspace_without_direction_files_says_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "callboard.toml").write_text(ROSTER, encoding="utf-8")
    done = check(tmp_path)
    assert done.returncode == 2
    assert "directions: has no direction file; write <agent>.md there" in done.stderr
