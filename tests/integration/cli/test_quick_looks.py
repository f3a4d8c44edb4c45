"""What commands that look import: as little as they can, since importing is most of what they cost."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from roster import Workspace as Roster

from callboard.app import Workspace
from callboard.bus.bus import Bus
from callboard.bus.server import EmbeddedServer
from callboard.launch.runs import create

HEAVY = (
    "anthropic",
    "genai_prices",
    "markdown_it",
    "mcp",
    "openai",
    "pydantic_ai",
    "yaml",
    "callboard.agents.brains.brain",
    "callboard.agents.brains.model",
    "callboard.agents.driver",
    "callboard.agents.manager.desk",
    "callboard.agents.manager.gate",
    "callboard.agents.reviewer.handler",
    "callboard.agents.runtime",
    "callboard.directions",
    "callboard.feedback.scribe",
    "callboard.launch.agent",
    "callboard.launch.launcher",
)
"""What thinks, works and reads directions."""
SLOW = ("asyncio", "git", "loguru", "pydantic", "redis", "typer", "callboard.app", "callboard.bus.board")
"""What takes longer to import than all that a status does."""
SCRIPT = """
import json, sys
from callboard.cli import main
code = main(sys.argv[1:])
print(json.dumps(["exit code", code, *sys.modules]), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A workspace with a run that nobody works on now."""
    made = Roster(tmp_path_factory.mktemp("looks") / "project")
    made.init({"driver-1": "### Task Read me\n"})
    workspace = Workspace.open(made.path, os.environ)

    async def begin() -> None:
        server = EmbeddedServer(workspace.layout.bus)
        bus = await Bus.connect(await server.start(), "20261121-090000")
        await create(bus, workspace, workspace.repository.resolve("HEAD") or "")
        await bus.close()
        await server.stop()

    asyncio.run(begin())
    yield made.path
    made.stop_everything()


def look(folder: Path, *words: str) -> tuple[int, list[str], str]:
    """A command's exit code, the modules it had imported at its end, and what it said."""
    argv = [sys.executable, "-c", SCRIPT, *words]
    ended = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True, timeout=60)
    _, code, *modules = json.loads(ended.stderr.splitlines()[-1])
    return code, modules, ended.stdout


@pytest.mark.parametrize(
    ("line", "code"),
    [("status", 3), ("status --json", 3), ("runs", 0), ("questions", 0), ("feedback driver-1", 0)],
)
def test_a_command_that_looks_imports_nothing_of_what_works(stopped: Path, line: str, code: int) -> None:
    found, modules, _ = look(stopped, *line.split())
    heavy = [name for name in modules if any(name == top or name.startswith(f"{top}.") for top in HEAVY)]
    assert (found, heavy) == (code, [])


def test_a_status_that_somebody_knows_imports_nothing_that_takes_long(stopped: Path) -> None:
    _, _, looked_up = look(stopped, "status")
    code, modules, said = look(stopped, "status")
    assert (code, said) == (3, looked_up)
    assert [name for name in SLOW if name in modules] == []


def test_a_status_for_a_script_draws_nothing(stopped: Path) -> None:
    _, modules, said = look(stopped, "status", "--json")
    assert json.loads(said)["run"]["id"] == "20261121-090000"
    assert "rich.console" not in modules


def test_a_version_needs_neither_bus_nor_git(stopped: Path) -> None:
    code, modules, _ = look(stopped, "version")
    needless = {*HEAVY, *SLOW, "rich"} - {"pydantic", "typer"}
    assert (code, needless & set(modules)) == (0, set()), "what takes long to import is imported where it is used"
