"""`callboard feedback` reads an agent's log from the files alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from feedback_world import NOON, entry
from forked import callboard

from callboard.feedback.entry import Entry, EntryId
from callboard.feedback.log import FeedbackLog

TOML = """
[project]
gate = ["true"]

[paths]
feedback = "notes/logs"

[[agents]]
name = "driver-1"
role = "driver"
command = "true"
"""
EVIDENCE = Entry(EntryId("r1", 12, 1), NOON, "evidence", "T-7", "Add it", ("`true` -> 0",), "It works.\n## Really")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Begin"], check=True)
    (tmp_path / "callboard.toml").write_text(TOML)
    return tmp_path


@pytest.fixture
def log(workspace: Path) -> FeedbackLog:
    return FeedbackLog(workspace / "notes/logs", "driver-1", rotate_bytes=1)


def argv(*args: str) -> list[str]:
    return [sys.executable, "-m", "callboard", "feedback", *args]


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return callboard(folder, "feedback", *args)


def test_json_gives_every_entry_with_all_its_parts_the_archive_too(workspace: Path, log: FeedbackLog) -> None:
    log.append([entry(1)])
    log.append([EVIDENCE])
    found = run(workspace, "driver-1", "--json")
    first, second = json.loads(found.stdout)
    assert first["id"] == "r1/1.1"
    assert second == {
        "id": "r1/12.1",
        "at": "2026-11-21T12:00:00Z",
        "kind": "evidence",
        "task": "T-7",
        "title": "Add it",
        "text": "It works.\n## Really",
        "facts": ["`true` -> 0"],
    }


def test_people_get_pages_also_from_a_folder_further_down(workspace: Path, log: FeedbackLog) -> None:
    log.append([EVIDENCE])
    found = run(workspace / "notes", "driver-1")
    assert found.stdout == (
        "2026-11-21 12:00:00Z  evidence  T-7 Add it\n  - `true` -> 0\n    It works.\n    ## Really\n\n"
    )


def test_a_search_gives_the_entries_with_these_words(workspace: Path, log: FeedbackLog) -> None:
    log.append([entry(1), EVIDENCE])
    assert [
        one["id"] for one in json.loads(run(workspace, "driver-1", "--search", "WORKS really", "--json").stdout)
    ] == ["r1/12.1"]


@pytest.mark.parametrize(("as_json", "stdout"), [(("--json",), "[]\n"), ((), "")])
def test_an_agent_who_has_logged_nothing_is_no_error(workspace: Path, as_json: tuple[str, ...], stdout: str) -> None:
    found = run(workspace, "driver-1", *as_json)
    assert (found.returncode, found.stdout) == (0, stdout)


def test_an_agent_who_left_the_roster_still_has_its_log(workspace: Path, log: FeedbackLog) -> None:
    FeedbackLog(log.path.parent, "driver-9").append([entry(1)])
    assert len(json.loads(run(workspace, "driver-9", "--json").stdout)) == 1


def test_an_unknown_agent_is_an_error_that_names_who_is_there(workspace: Path) -> None:
    found = run(workspace, "driver-2")
    assert found.returncode == 1
    assert "there is no agent 'driver-2' here; did you mean 'driver-1'? there are driver-1, manager" in found.stderr
    assert "Traceback" not in found.stderr


def test_without_settings_the_error_says_how_to_get_them(workspace: Path) -> None:
    (workspace / "callboard.toml").unlink()
    found = run(workspace, "driver-1")
    assert found.returncode == 2
    assert "callboard init" in found.stderr


def test_follow_goes_on_with_what_is_logged_and_ends_well_with_ctrl_c(workspace: Path, log: FeedbackLog) -> None:
    log.append([entry(1)])
    with subprocess.Popen(
        argv("driver-1", "--follow", "--json"), cwd=workspace, stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout
        seen = [json.loads(following.stdout.readline())["id"]]
        for seq in (2, 3):  # each append also moves the one before to the archive
            log.append([entry(seq)])
            seen.append(json.loads(following.stdout.readline())["id"])
        following.send_signal(signal.SIGINT)
        assert following.wait() == 0
    assert seen == ["r1/1.1", "r1/2.1", "r1/3.1"]
