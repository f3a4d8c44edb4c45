"""Bus data of runs that are over: what may go goes, whole; what is kept nowhere else stays, with the reason."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest
from roster import Workspace as Made
from roster import run_git
from roster import task as written

from callboard.app import Workspace
from callboard.bus.board import AgentDoc, Change, Doc, RunDoc, TaskDoc, TaskState
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, TaskProgressed
from callboard.bus.server import EmbeddedServer
from callboard.bus.task import TaskSpec
from callboard.launch.old_runs import OldRun, clear
from callboard.launch.runs import runs

Go = Callable[[Coroutine[object, object, None]], None]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Made(tmp_path / "project")
    made.init({"driver-1": written("1 - One")})
    return Workspace.open(made.path, os.environ)


async def make(
    bus: Bus, workspace: Workspace, *, head: str = "", state: str = "succeeded", task: TaskDoc | None = None
) -> None:
    """A run as it is left behind; `head`: what it landed."""
    base = run_git(workspace.root, "rev-parse", "main")
    run_git(workspace.root, "update-ref", f"refs/callboard/{bus.run}/base", base)
    made = {"id": bus.run, "base": base, "head": head or base, "target": "main", "state": state}
    assert await bus.create_run(RunDoc.model_validate(made))
    docs: dict[str, Doc] = {"agent:driver-1": AgentDoc(name="driver-1", role="driver")}
    docs |= {f"task:{task.id}": task} if task else {}
    changes = [Change(name, doc.model_copy(update={"version": 1})) for name, doc in docs.items()]
    await bus.change(changes, sender="launcher")
    await bus.send(Draft("driver-1", TaskProgressed(doing="x" * 5_000)), sender="manager")


def on(bus: Bus, workspace: Workspace) -> Workspace:
    """The same workspace on a server of somebody else's."""
    settings = workspace.settings
    there = settings.bus.model_copy(update={"url": bus.url})
    changed = settings.model_copy(update={"bus": there})
    return Workspace(workspace.root, changed, workspace.layout, workspace.repository, workspace.environ)


def test_a_run_whose_landings_are_in_the_target_goes_with_every_key_and_its_ref(
    bus: Bus, go: Go, workspace: Workspace
) -> None:
    async def scenario() -> None:
        await make(bus, workspace)
        there = on(bus, workspace)
        [planned] = await clear(there, [bus.run], dry_run=True)
        assert (planned.run, planned.why_not, planned.size > 5_000) == (bus.run, "", True)
        assert (await bus.board()).run.version == 1, "a dry run removes nothing"
        assert await clear(there, [bus.run], dry_run=False) == [planned]
        assert await bus._link.command("KEYS", f"cb:{{{bus.run}}}:*", about="look") == []
        assert runs(workspace.repository) == []
        assert await clear(there, [bus.run], dry_run=False) == []

    go(scenario())


def test_its_ref_stays_while_pins_do(bus: Bus, go: Go, workspace: Workspace) -> None:
    async def scenario() -> None:
        await make(bus, workspace)
        run_git(workspace.root, "update-ref", f"refs/callboard/{bus.run}/wip/T-1/1", "main")
        await clear(on(bus, workspace), [bus.run], dry_run=False)
        assert runs(workspace.repository) == [bus.run]

    go(scenario())


def stays(why: str) -> Callable[[list[OldRun]], None]:
    def check(found: list[OldRun]) -> None:
        [old] = found
        assert why in old.why_not

    return check


def test_what_is_needed_stays_with_the_reason(bus: Bus, go: Go, workspace: Workspace) -> None:
    tree = run_git(workspace.root, "rev-parse", "main^{tree}")
    landed = run_git(workspace.root, "commit-tree", tree, "-p", "main", "-m", "landed")

    async def scenario() -> None:
        await make(bus, workspace, head=landed)
        there = on(bus, workspace)
        stays("main does not contain what it landed")(await clear(there, [bus.run], dry_run=False))
        assert (await bus.board()).run.head == landed
        run_git(workspace.root, "update-ref", "refs/heads/main", landed)
        stays("")(await clear(there, [bus.run], dry_run=True))
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        await delivery.reject("odd")
        stays("1 dead letters")(await clear(there, [bus.run], dry_run=False))
        assert (await bus.board()).run.version == 1

    go(scenario())


@pytest.mark.parametrize(
    ("state", "attempt", "why"),
    [("paused", 0, "it has not ended, it is paused"), ("succeeded", 1, "T-1 is done: nothing of it landed")],
)
def test_an_unfinished_run_and_one_that_alone_knows_what_is_done_stay(
    bus: Bus, go: Go, workspace: Workspace, state: str, attempt: int, why: str
) -> None:
    async def scenario() -> None:
        spec = TaskSpec(key="driver-1/one", title="one", agent="driver-1")
        done = TaskDoc(id="T-1", spec=spec, state=TaskState.DONE, attempt=attempt)
        await make(bus, workspace, state=state, task=done)
        stays(why)(await clear(on(bus, workspace), [bus.run], dry_run=False))

    go(scenario())


def test_an_embedded_servers_data_on_disk_gets_smaller(workspace: Workspace, go: Go) -> None:
    async def fill() -> None:
        server = EmbeddedServer(workspace.layout.bus)
        await server.start()
        bus = await Bus.connect(server.url, "old")
        try:
            await make(bus, workspace)
            for _ in range(100):
                await bus.send(Draft("driver-1", TaskProgressed(doing="x" * 10_000)), sender="manager")
        finally:
            await bus.close()
            await server.stop()

    def size() -> int:
        return sum(path.stat().st_size for path in workspace.layout.bus.rglob("*") if path.is_file())

    async def scenario() -> None:
        await fill()
        before = size()
        [old] = await clear(workspace, ["old"], dry_run=False)
        assert old.why_not == ""
        assert size() < before / 10 < before

    go(scenario())
