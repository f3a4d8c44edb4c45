"""`callboard replay` refuses what cannot be played back, and leaves nothing behind then."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def refused(root: Path, *args: str) -> str:
    argv = [sys.executable, "-m", "callboard", "replay", *args]
    ran = subprocess.run(argv, cwd=root, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    return ran.stderr


def test_only_what_was_recorded_can_be_played_into_an_empty_folder(workspace: Path, tmp_path: Path) -> None:
    assert "no run here has a recorded model call" in refused(workspace)
    (workspace / ".callboard" / "calls" / "r1").mkdir(parents=True)
    assert "no call of run 'r0' is recorded; there are r1" in refused(workspace, "r0")
    assert "there is no refs/callboard/r1/base" in refused(workspace)
    subprocess.run(["git", "-C", str(workspace), "update-ref", "refs/callboard/r1/base", "HEAD"], check=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    assert "is not empty" in refused(workspace, "--dir", str(tmp_path / "full"))
    (workspace / "callboard.toml").write_text(TOML + 'command = "x"\n')
    assert "driver-1 think with something else" in refused(workspace, "--dir", str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
