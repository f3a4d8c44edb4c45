"""The program of docs/client.md, run as it stands: an agent of a launched roster, from assignment to landing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from outside_agent import from_outside
from roster import Workspace, run_git, task, until

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text("utf-8")
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.long
def test_the_program_of_the_page_does_two_tasks(workspace: Callable[..., Workspace]) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - One", Writes="one.txt") + task("2 - Two", Writes="two.txt")})
    from_outside(made, "driver-1")
    launcher = made.start()
    until(lambda: "idle" in [agent["state"] for agent in rows(made, "agents") if agent["name"] == "manager"])
    told = dict(line.split("=", 1) for line in made.call("bus", "env").stdout.splitlines())
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=made.path,
        env={**os.environ, **told, "AGENT": "driver-1"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, _ = launcher.communicate()
        assert launcher.returncode == 0, output
    finally:
        program.kill()
        _, errors = program.communicate()
    head = made.integration()
    assert sorted(made.landed_keys(head)) == ["driver-1/one", "driver-1/two"], output + errors
    assert run_git(made.path, "show", f"{head}:two.txt") == "done"


def rows(made: Workspace, name: str) -> list[dict[str, object]]:
    found = made.json("status")[name]
    assert isinstance(found, list)
    return found
