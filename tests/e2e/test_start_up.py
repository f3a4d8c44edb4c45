"""What it costs to start a roster: agents are forked from one process that has imported everything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest
from roster import AGENTS, HANG_S, Workspace, until

from callboard.bus.places import socket_path

MOST_MB = 80.0
"""Issue 3: for each further agent (PSS)."""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere agents are started one by one")
def test_further_agents_cost_little_time_and_memory_and_are_listed_by_name(
    workspace: Callable[..., Workspace],
) -> None:
    made = workspace()
    made.init({})
    launch = made.start("--stay")
    try:
        until(lambda: len(ready(made)) == len(AGENTS), every_s=0.5)
        agents = [found for name in AGENTS if (found := made.process(name))]
        assert len(agents) == len(AGENTS)
        [server] = [process for process in psutil.Process(launch.pid).children() if "fork-server" in process.cmdline()]
        imports_s = sum(server.cpu_times()[:2])
        for agent in agents:
            guard = agent.parent()
            assert guard is not None
            assert guard.ppid() == server.pid
            assert sum(agent.cpu_times()[:2]) < imports_s / 2
            assert (agent.memory_full_info().pss + guard.memory_full_info().pss) / 1e6 < MOST_MB
    finally:
        launch.terminate()
        launch.communicate(timeout=HANG_S)


@pytest.mark.long
def test_an_agent_can_be_a_command_of_its_own(workspace: Callable[..., Workspace]) -> None:
    made = workspace()
    made.init({})
    launch = made.start("--only", "manager", "--stay")
    try:
        until(lambda: ready(made) == ["manager"], every_s=1)
        run = made.integration().rpartition("/")[2]
        url = f"unix://{socket_path(made.path / '.callboard/bus')}"
        argv = [sys.executable, "-m", "callboard", "agent", "driver-1", "--run", run]
        agent = subprocess.Popen(argv, cwd=made.path, env={**os.environ, "CALLBOARD_BUS_URL": url})
        until(lambda: "driver-1" in ready(made), every_s=1)
        agent.terminate()
        assert agent.wait(timeout=HANG_S) == 0
    finally:
        launch.terminate()
        launch.communicate(timeout=HANG_S)


def ready(workspace: Workspace) -> list[str]:
    """The agents that have said that they are there."""
    agents = workspace.json("status")["agents"]
    assert isinstance(agents, list)
    return [agent["name"] for agent in agents if agent["state"] in ("idle", "working")]
