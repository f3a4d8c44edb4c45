"""What the fork server imports: everything of ours that an agent will need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from roster import Workspace

SCRIPT = """
import importlib, os, sys
from pathlib import Path
from types import SimpleNamespace
from callboard.launch.fork_server import PRELOAD
for name in PRELOAD:
    importlib.import_module(name)
before = set(sys.modules)

from callboard.app import Workspace
workspace = Workspace.open(Path.cwd(), os.environ)
workspace.capabilities()
nothing = SimpleNamespace(run="20261121-090000")
for agent in workspace.settings.agents:
    if agent.role != "manager":
        workspace.handler(agent, nothing)
workspace.manager_handlers(nothing, nothing)
print(*sorted(name for name in set(sys.modules) - before if name.startswith("callboard")))
"""


def test_an_agent_imports_nothing_of_ours_after_the_fork(tmp_path: Path) -> None:
    made = Workspace(tmp_path / "project")
    made.init({})
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=made.path, capture_output=True, text=True, check=True, timeout=60
    )
    assert ended.stdout.strip() == ""
