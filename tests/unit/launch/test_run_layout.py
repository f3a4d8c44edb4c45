"""Where `callboard export --layout runs` writes when no folder is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from callboard.bus.errors import ConfigError
from callboard.launch.run_layout import runs_folder


def test_a_variable_of_ours_stands_above_that_of_the_guide(tmp_path: Path) -> None:
    theirs = {"AUTONOMOUS_RUNS_DIR": ".autonomous_runs"}
    assert runs_folder(tmp_path, {}) == tmp_path / "exports" / "runs"
    assert runs_folder(tmp_path, {"AUTONOMOUS_RUNS_DIR": ""}) == tmp_path / "exports" / "runs"
    assert runs_folder(tmp_path, theirs) == Path(".autonomous_runs")
    assert runs_folder(tmp_path, theirs | {"CALLBOARD_RUNS_DIR": "runs"}) == Path("runs")


def test_what_is_no_folder_is_told_with_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match=r"AUTONOMOUS_RUNS_DIR.*is no folder"):
        runs_folder(tmp_path, {"AUTONOMOUS_RUNS_DIR": str(file)})
