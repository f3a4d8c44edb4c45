"""One served workspace for every test of a module: its run has two drivers and a task, on the server of the tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from boards import agent_doc, task_doc
from roster import Workspace as Made
from roster import run_git, task
from served import Served

from callboard.app import Workspace
from callboard.bus.board import Change
from callboard.bus.bus import Bus
from callboard.bus.messages import JOURNAL, Draft, FeedbackLogged, TaskAccepted
from callboard.launch.runs import create as create_run
from callboard.launch.runs import new_name
from callboard.web.app import create
from callboard.web.tokens import Tokens


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory, server_url: str) -> Workspace:
    made = Made(tmp_path_factory.mktemp("web") / "greenroom")
    made.init({"driver-1": task("1 - One")})
    return Workspace.open(made.path, {**os.environ, "CALLBOARD_BUS_URL": server_url})


@pytest.fixture(scope="module")
def board(workspace: Workspace, server_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The run."""
    run = f"{new_name([])}-{tmp_path_factory.getbasetemp().name}-{id(workspace)}"
    agents = [agent_doc("driver-1", task="T-1", state="working"), agent_doc("driver-2")]

    async def begin() -> None:
        async with await Bus.connect(server_url, run) as bus:
            await create_run(bus, workspace, run_git(workspace.root, "rev-parse", "main"))
            changes = [Change(f"agent:{doc.name}", doc) for doc in agents]
            await bus.change([*changes, Change("task:T-1", task_doc(1, "Greet", attempt=1))], sender="manager")
            await bus.send(Draft("manager", TaskAccepted(), task="T-1"), sender="driver-1")
            note = FeedbackLogged(log="driver-1", entry="task", title="began")
            await bus.send(Draft(JOURNAL, note), sender="driver-1")

    asyncio.run(begin())
    return run


@pytest.fixture(scope="module")
def served(workspace: Workspace) -> Iterator[Served]:
    running = Served(create(workspace))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def reader(served: Served, workspace: Workspace) -> str:
    """A token that may read."""
    return Tokens(workspace.layout.tokens).create("ada", ["read"])[0]


@pytest.fixture(scope="module")
def answerer(served: Served, workspace: Workspace) -> str:
    """A token that may answer."""
    return Tokens(workspace.layout.tokens).create("ada", ["answer"])[0]
