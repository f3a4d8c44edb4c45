"""Agents that die for good, and work that comes after the end: a launch always ends, and with everything done."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from roster import Workspace, task

Make = Callable[..., Workspace]

KILLS_ITS_AGENT = f"""{sys.executable} -c '
import psutil
next(one for one in psutil.Process().parents() if "agent" in one.cmdline()).kill()
'"""
"""A brain whose agent process dies whenever it is asked."""
NO_SANDBOX = '[sandbox]\nkind = "off"\n'
"""In a sandbox it could not reach its agent."""


@pytest.mark.long
def test_the_task_of_an_agent_that_dies_over_and_over_goes_to_another_and_the_launch_ends(workspace: Make) -> None:
    made = workspace(drivers={"driver-1": KILLS_ITS_AGENT}, extra=NO_SANDBOX)
    made.init({"driver-1": task("1 - Write a", Writes="a.txt"), "driver-2": task("1 - Write b", Writes="b.txt")})
    code, output = made.launch()
    assert code == 0, output
    assert output.count("driver-1 is down: it died 5 times within a minute") == 1
    assert {"a.txt", "b.txt"} <= set(made.files(made.integration()))
    log = (made.path / "feedback/manager.md").read_text()
    assert log.count("driver-1 is down") >= 1
    assert made.processes() == []


@pytest.mark.long
def test_tasks_that_were_written_after_the_end_are_done_by_the_next_launch(workspace: Make) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - Write a", Writes="a.txt")})
    assert made.launch()[0] == 0
    path = made.path / "directions/driver-1.md"
    path.write_text(path.read_text() + task("2 - Write b", Writes="b.txt"))
    code, output = made.launch()
    assert code == 0, output
    assert made.landed_keys(made.integration()) == ["driver-1/write-b", "driver-1/write-a"]


@pytest.mark.long
def test_a_launch_without_any_task_ends_and_says_that_people_are_needed(workspace: Make) -> None:
    made = workspace()
    made.init({})
    code, output = made.launch()
    assert code == 4, output
