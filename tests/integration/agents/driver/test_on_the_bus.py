"""A driver under the real runtime and a real server: what the manager hears, whatever happens to the process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import driver_process
import psutil
import pytest
from agent_world import World
from driver_process import AGENT, runtime_of

from callboard.bus.bus import Bus
from callboard.bus.messages import (
    Body,
    Draft,
    Envelope,
    EvidenceSubmitted,
    FeedbackLogged,
    Outcome,
    TaskAccepted,
    TaskAssigned,
    TaskCancelled,
    TaskProgressed,
)
from callboard.bus.task import Briefing, TaskSpec

Go = Callable[[Awaitable[None]], None]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "repo", {"app.py": "x = 1\n"})


def assignment(world: World) -> Draft:
    spec = TaskSpec(key="driver-1/health", title="Add /health", agent=AGENT, checks=("test -f new.py",))
    body = TaskAssigned(spec=spec, briefing=Briefing(agent=AGENT, version=""), base=world.base, start=world.base)
    return Draft(AGENT, body, "T-1", 1)


async def hear(bus: Bus, until: type[Body]) -> list[Envelope]:
    """Be the manager: take messages up to one of this kind."""
    inbox = bus.inbox("manager", "manager.host.1")
    heard: list[Envelope] = []
    async with asyncio.timeout(300):
        while not heard or not isinstance(heard[-1].body, until):
            for delivery in await inbox.receive(block_s=0.2):
                await delivery.commit(Outcome())
                heard.append(delivery.envelope)
    return heard


async def logged(bus: Bus) -> list[FeedbackLogged]:
    entries = [entry async for entry in bus.journal()]
    return [message.body for entry in entries for message in entry.messages if isinstance(message.body, FeedbackLogged)]


class Running:
    """A runtime in this process, stopped at the end of the block."""

    def __init__(self, bus: Bus, world: World, command: str, incarnation: str = "1") -> None:
        self._runtime = runtime_of(bus, world.root, command, incarnation)
        self._stop = asyncio.Event()

    async def __aenter__(self) -> Running:
        self._task = asyncio.create_task(self._runtime.run(self._stop))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await self._task


def test_an_assignment_becomes_evidence(bus: Bus, go: Go, world: World) -> None:
    async def scenario() -> None:
        async with Running(bus, world, "echo y > new.py; echo done"):
            await bus.send(assignment(world), sender="manager")
            heard = await hear(bus, EvidenceSubmitted)
        assert [type(message.body) for message in heard] == [TaskAccepted, EvidenceSubmitted]
        assert {(message.sender, message.task, message.attempt) for message in heard} == {(AGENT, "T-1", 1)}
        assert [entry.entry for entry in await logged(bus)] == ["task", "evidence"]
        assert await bus.backlog([AGENT]) == {AGENT: 0}

    go(scenario())


def test_a_cancellation_reaches_the_running_brain(bus: Bus, go: Go, world: World) -> None:
    async def scenario() -> None:
        async with Running(bus, world, "echo half > half.py; echo up >&2; sleep 300"):
            await bus.send(assignment(world), sender="manager")
            await hear(bus, TaskProgressed)
            await bus.send(Draft(AGENT, TaskCancelled(reason="enough"), "T-1", 1), sender="manager")
            async with asyncio.timeout(300):
                while (await bus.backlog([AGENT]))[AGENT]:  # noqa: ASYNC110 - the runtime makes it happen
                    await asyncio.sleep(0.02)
        titles = [entry.title for entry in await logged(bus)]
        assert titles == ["Add /health", "Add /health: stopped", "cancelled"]

    go(scenario())


def test_a_killed_driver_is_taken_over_and_hands_in_once(bus: Bus, go: Go, world: World, server_url: str) -> None:
    hang = "echo half > half.py; (setsid sleep 300 &); echo up >&2; sleep 300"
    argv = [sys.executable, driver_process.__file__, server_url, bus.run, str(world.root), hang, "1"]
    process = psutil.Popen(argv, env={**os.environ, "PYTHONPATH": str(Path(driver_process.__file__).parent)})

    async def until_killed() -> None:
        await bus.send(assignment(world), sender="manager")
        await hear(bus, TaskProgressed)

    async def resumed() -> None:
        async with Running(bus, world, "echo y > new.py", "2"):
            heard = await hear(bus, EvidenceSubmitted)
        assert [type(message.body) for message in heard] == [TaskAccepted, EvidenceSubmitted]
        evidence = heard[-1].body
        assert isinstance(evidence, EvidenceSubmitted)
        assert evidence.files == ("new.py",)
        assert [result.exit_code for result in evidence.commands] == [0]
        entries = await logged(bus)
        assert [entry.entry for entry in entries] == ["task", "task", "evidence"]
        assert len({entry.facts for entry in entries}) == 3

    try:
        go(until_killed())
        tree = process.children(recursive=True)
        process.kill()
        _, alive = psutil.wait_procs(tree, timeout=300)
        assert not alive
    finally:
        process.kill()
        process.wait()
    go(resumed())
    vault = world.clone(AGENT).vault
    assert [vault.read(sha, "half.py") for sha in vault.refs("refs/wip").values()] == [b"half\n"]
