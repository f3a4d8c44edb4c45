"""`callboard record` and `callboard replay` refuse what cannot be recorded or played, and leave nothing behind then."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from forked import callboard
from pydantic import JsonValue

from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import About, BeginRecord, CallRecord
from callboard.agents.workspace.layout import Layout
from callboard.app import Workspace
from callboard.bus.errors import RosterError
from callboard.launch.playing import lay_out
from callboard.launch.recording import as_it_is, record
from callboard.needs import key_problems

SECRET = "correct-horse-battery-staple"

TOML = """
[models.opus]
provider = "anthropic"
model = "claude-opus-4-5"

[[agents]]
name = "driver-1"
role = "driver"
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git = ["git", "-C", str(root)]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", "Begin"], check=True)
    (root / "callboard.toml").write_text(TOML + 'model = "opus"\n')
    return root


def opened(root: Path) -> Workspace:
    return Workspace.open(root, {})


def no_recording(root: Path, folder: Path, why: str, run: str = "") -> None:
    with pytest.raises(RosterError, match=why):
        record(opened(root), run, folder, as_it_is)


def no_play(root: Path, recording: Path, folder: Path, why: str) -> None:
    with pytest.raises(RosterError, match=why):
        lay_out(opened(root), recording, folder)


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def worked(workspace: Path) -> Path:
    """A workspace in which a model has worked."""
    at = datetime(2026, 11, 21, tzinfo=UTC)
    about = About(key="driver-1/health", agent="driver-1", attempt=1, asked="a1")
    text: JsonValue = {"parts": [{"part_kind": "text", "content": f"It is {SECRET}"}]}
    log = CallFile(Layout(workspace).call_log("r1", "T-1", 1, "driver-1"))
    log.append(BeginRecord(instructions="", prompt="", about=about, at=at))
    log.append(CallRecord(digest="d", model="opus", response=text, duration_s=1, at=at))
    git(workspace, "update-ref", "refs/callboard/r1/base", "HEAD")
    (workspace / "directions").mkdir()
    (workspace / "directions" / "driver-1.md").write_text("# Driver 1\n")
    (workspace / ".env").write_text(f"API_KEY={SECRET}\n")
    return workspace


def test_only_a_run_with_calls_of_models_alone_is_recorded_into_an_empty_folder(
    workspace: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new"
    no_recording(workspace, folder, "no run here has a recorded model call")
    (workspace / ".callboard" / "calls" / "r1").mkdir(parents=True)
    no_recording(workspace, folder, "no call of run 'r0' is recorded; there are r1", run="r0")
    no_recording(workspace, folder, "there is no refs/callboard/r1/base")
    git(workspace, "update-ref", "refs/callboard/r1/base", "HEAD")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    no_recording(workspace, tmp_path / "full", "is not empty")
    (workspace / "callboard.toml").write_text(TOML + 'command = "x"\n')
    no_recording(workspace, folder, "driver-1 think with something else")
    assert not folder.exists()


def test_a_recording_has_all_that_it_takes_and_no_secret(worked: Path, tmp_path: Path) -> None:
    made = callboard(worked, "record", str(tmp_path / "new"), "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout) == {"run": "r1", "folder": str(tmp_path / "new"), "talks": 1, "replies": 1}
    found = {str(it.relative_to(tmp_path / "new")): it.read_text() for it in tmp_path.glob("new/**/*") if it.is_file()}
    assert set(found) == {"callboard.toml", "directions/driver-1.md", "recording.json", "talks/driver-1/health.1.jsonl"}
    assert json.loads(found["recording.json"]) == {"format": 1, "base": git(worked, "rev-parse", "HEAD")}
    assert not [name for name, text in found.items() if SECRET in text]
    assert "It is [redacted:" in found["talks/driver-1/health.1.jsonl"]


def test_a_recording_is_played_where_its_beginning_is_known_and_nowhere_else(worked: Path, tmp_path: Path) -> None:
    recording, new = tmp_path / "recording", tmp_path / "new"
    record(opened(worked), "", recording, as_it_is)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    no_play(worked, recording, tmp_path / "full", "is not empty")
    (recording / "recording.json").write_text(json.dumps({"format": 1, "base": "1" * 40}))
    no_play(worked, recording, new, "the commit 111111111111 that")
    (recording / "recording.json").write_text('{"format": 2}')
    no_play(worked, recording, new, "holds no recording")
    assert not new.exists()


def test_replay_takes_a_run_or_a_folder_and_leaves_nothing_behind_when_it_is_neither(
    worked: Path, tmp_path: Path
) -> None:
    ran = callboard(worked, "replay", "r0", "--dir", str(tmp_path / "new"))
    assert (ran.returncode, "no call of run 'r0' is recorded" in ran.stderr) == (1, True)
    assert not (tmp_path / "new").exists()


def test_where_a_recording_is_played_no_key_is_missed(worked: Path) -> None:
    assert key_problems(opened(worked))
    Layout(worked).play.mkdir()
    assert key_problems(opened(worked)) == {}
