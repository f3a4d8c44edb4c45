from __future__ import annotations

from pathlib import Path

from callboard.agents.workspace.environment import work_environment
from callboard.agents.workspace.layout import Layout


def test_only_what_is_named_reaches_a_brain_or_gate(tmp_path: Path) -> None:
    inherited = {
        "PATH": "/bin",
        "LANG": "de_DE.UTF-8",
        "HOME": "/home/person",
        "AWS_SECRET": "s",
        "GIT_DIR": "/x",
        "UV_CACHE_DIR": "/cache",
        "UV_OFFLINE": "1",
    }
    env = work_environment(
        Layout(tmp_path), "gate-1", env={"MODE": "test", "LANG": "C"}, pass_env=("UV_*",), inherited=inherited
    )
    scratch = tmp_path / ".callboard/scratch/gate-1"
    assert env == {
        "PATH": "/bin",
        "LANG": "C",
        "UV_CACHE_DIR": "/cache",
        "UV_OFFLINE": "1",
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "MODE": "test",
    }
    assert (scratch / "home").is_dir()
    assert (scratch / "tmp").is_dir()


def test_a_bare_environment_still_finds_programs(tmp_path: Path) -> None:
    env = work_environment(Layout(tmp_path), "driver-1", env={}, pass_env=(), inherited={})
    assert "/usr/bin" in env["PATH"]
    assert env["LANG"] == "C.UTF-8"
    assert set(env) == {"PATH", "LANG", "HOME", "TMPDIR"}
