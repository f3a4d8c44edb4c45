from __future__ import annotations

from pathlib import Path

from callboard.agents.workspace.environment import work_environment
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.lots import Lot

LOT = Lot("gate-1", index=3, port=20_010, ports=10, db="gate_1_abc")
LOT_VARIABLES = {
    "CALLBOARD_AGENT": "gate-1",
    "CALLBOARD_INDEX": "3",
    "CALLBOARD_PORT": "20010",
    "CALLBOARD_PORTS": "10",
    "CALLBOARD_DB": "gate_1_abc",
}


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
        Layout(tmp_path),
        "gate-1",
        env={"MODE": "test", "LANG": "C", "URL": "http://localhost:{port}/{agent}", "DB": "test_{db}_{index}"},
        pass_env=("UV_*",),
        inherited=inherited,
        lot=LOT,
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
        "URL": "http://localhost:20010/gate-1",
        "DB": "test_gate_1_abc_3",
        **LOT_VARIABLES,
    }
    assert (scratch / "home").is_dir()
    assert (scratch / "tmp").is_dir()


def test_a_bare_environment_still_finds_programs(tmp_path: Path) -> None:
    env = work_environment(Layout(tmp_path), "driver-1", env={}, pass_env=(), inherited={}, lot=LOT)
    assert "/usr/bin" in env["PATH"]
    assert env["LANG"] == "C.UTF-8"
    assert set(env) == {"PATH", "LANG", "HOME", "TMPDIR", *LOT_VARIABLES}


def test_only_the_known_placeholders_are_filled_in() -> None:
    text = '{port} {{port}} {} {"a": {index}} {{agent} {other} {port'
    assert LOT.fill(text) == '20010 {port} {} {"a": 3} {gate-1 {other} {port'
