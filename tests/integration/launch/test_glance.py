"""A status told by who knows it is the status that the bus would give, or none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from roster import Workspace as Roster
from roster import run_git

from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace
from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.server import EmbeddedServer
from callboard.launch.glance import glance
from callboard.launch.joining import current_run, open_bus
from callboard.launch.runs import create
from callboard.launch.status import answering, status_of
from callboard.launch.summary import Status

RUN = "20261121-090000"
DRIVER = AgentDoc(version=1, name="driver-1", role="driver", state="idle")
SENIOR = AgentDoc(version=1, name="senior", role="reviewer", state="idle")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One whose run has one agent, at rest."""
    made = Roster(tmp_path_factory.mktemp("glance") / "project")
    made.init({"driver-1": "### Task Read me\n"})
    opened = Workspace.open(made.path, {})

    async def begin() -> None:
        async with open_bus(opened, RUN) as bus:
            await create(bus, opened, opened.repository.resolve("HEAD") or "")
            await bus.change([Change("agent:driver-1", DRIVER)], sender="manager")

    asyncio.run(begin())
    return opened


def looked_up(workspace: Workspace) -> Status:
    async def look() -> Status:
        async with open_bus(workspace, current_run(workspace)) as bus:
            return await status_of(workspace, bus)

    return asyncio.run(look())


def test_at_rest_it_is_what_the_bus_gave_last(workspace: Workspace) -> None:
    found = looked_up(workspace)
    assert glance(workspace.root / "directions", {}) == glance(workspace.root, {}) == found
    assert [agent.state for agent in found.agents] == ["absent"]


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"#")


@pytest.mark.parametrize(
    "change",
    [
        lambda workspace: append(workspace.root / "callboard.toml"),
        lambda workspace: run_git(workspace.root, "branch", "--force", "driver-1/work", "HEAD"),
        lambda workspace: run_git(workspace.root, "update-ref", "refs/callboard/20261121-080000/base", "HEAD"),
        lambda workspace: run_git(workspace.root, "pack-refs", "--all"),
        lambda workspace: append(workspace.layout.bus / "status.json"),
        lambda workspace: (workspace.layout.bus / "status.json").write_text('{"signs": {}, "status": {"run": null}}'),
    ],
    ids=["settings", "branch", "run", "packed", "damaged", "foreign"],
)
def test_it_is_forgotten_with_anything_that_it_follows_from(
    workspace: Workspace, change: Callable[[Workspace], object]
) -> None:
    looked_up(workspace)
    assert glance(workspace.root, {}) is not None
    change(workspace)
    assert glance(workspace.root, {}) is None


def test_it_is_forgotten_when_a_server_that_stopped_without_a_word_had_written(workspace: Workspace) -> None:
    looked_up(workspace)

    async def write() -> None:
        server = EmbeddedServer(workspace.layout.bus)
        bus = await Bus.connect(await server.start(), RUN)
        doc = await bus.doc("agent:driver-1", AgentDoc)
        await bus.change([Change("agent:driver-1", doc.model_copy(update={"version": 2}))], sender="manager")
        await bus.close()
        await server.stop()

    asyncio.run(write())
    assert glance(workspace.root, {}) is None


def test_another_bus_is_not_answered_for(workspace: Workspace) -> None:
    looked_up(workspace)
    assert glance(workspace.root, {"CALLBOARD_BUS_URL": "redis://127.0.0.1:1"}) is None


def test_outside_a_workspace_nobody_answers(tmp_path: Path) -> None:
    assert glance(tmp_path, {}) is None


def test_a_launcher_answers_with_what_is_there_now_and_nobody_does_for_it(workspace: Workspace) -> None:
    looked_up(workspace)
    lock = ProcessLock(workspace.layout.lock("launch"))

    async def ask() -> Status | None:
        return await asyncio.to_thread(glance, workspace.root, {})

    async def scenario() -> None:
        async with open_bus(workspace, current_run(workspace)) as bus:
            lock.acquire()
            assert await ask() is None
            async with answering(workspace, bus):
                assert await ask() == await status_of(workspace, bus)
                await bus.change([Change("agent:senior", SENIOR)], sender="manager")
                found = await ask()
            assert await ask() is None
        assert found is not None
        assert found.run is not None
        assert found.run.running
        assert {agent.name: agent.state for agent in found.agents} == {"driver-1": "idle", "senior": "idle"}

    try:
        asyncio.run(scenario())
    finally:
        lock.release()
