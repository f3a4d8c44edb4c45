"""Callboard next to a distribution whose import name is one of its folders' names."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.integration.packaging.conftest import uv

if TYPE_CHECKING:
    from tests.integration.packaging.conftest import Built

BOTH = """
import agents, callboard.agents, callboard.bus.task, callboard.cli
assert agents.Agent(name="a").name == "a", "openai-agents is whole"
spec = callboard.bus.task.TaskSpec(key="a/b", title="b", agent="a")
assert agents.__file__ != callboard.agents.__file__
print(len(spec.digest), callboard.agents.__name__)
"""


@pytest.mark.long
def test_it_installs_beside_openai_agents_and_both_work(built: Built, tmp_path: Path) -> None:
    uv("venv", "--quiet", "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    uv("pip", "install", "--quiet", "--python", python, built.wheel, "openai-agents", cwd=tmp_path)
    done = subprocess.run([python, "-I", "-c", BOTH], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "16 callboard.agents\n"), done.stderr
    shown = subprocess.run([python.with_name("callboard"), "version"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
