"""A driver's handler for tests: the real one with a program as its brain, and what is delivered to it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent_world import NOW, Delivered, World

from callboard.agents.brains.command import CommandBrain
from callboard.agents.driver.handler import DriverHandler
from callboard.agents.driver.task_run import Post
from callboard.agents.workspace.setup import Setup
from callboard.bus.messages import (
    Body,
    Outcome,
    TaskAssigned,
)
from callboard.bus.task import Briefing, Note, TaskSpec

AGENT = "driver-1"


def spec(*checks: str) -> TaskSpec:
    return TaskSpec(key="driver-1/health", title="Add a /health endpoint", agent=AGENT, checks=checks)


def assigned(world: World, *checks: str, start: str = "", notes: tuple[Note, ...] = ()) -> TaskAssigned:
    briefing = Briefing(agent=AGENT, version="00ff", prefix="api: ")
    return TaskAssigned(spec=spec(*checks), briefing=briefing, base=world.base, start=start or world.base, notes=notes)


def driver(world: World, command: str, *, timeout_s: float = 30.0, setup: Setup | None = None) -> DriverHandler:
    seat = world.seat(AGENT, timeout_s=timeout_s)
    post = Post(seat, world.clone(AGENT), setup or Setup(), check_timeout_s=20.0, progress_every_s=0.0)
    return DriverHandler(post, CommandBrain(command), now=lambda: NOW)


def delivered(body: Body, *, deliveries: int = 1, task: str = "T-1", attempt: int = 1) -> Delivered:
    return Delivered(body, recipient=AGENT, deliveries=deliveries, task=task, attempt=attempt)


def handle(handler: DriverHandler, work: Delivered) -> Outcome:
    return asyncio.run(handler.handle(work))


def files_of(world: World, commit: str) -> dict[str, bytes | None]:
    vault = world.clone(AGENT).vault
    return {path: vault.read(commit, path) for path in vault.entries(commit)}


def wip(world: World) -> dict[str, str]:
    return world.clone(AGENT).vault.refs("refs/wip")


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(300):
        while not happened():  # noqa: ASYNC110 - another process makes it happen
            await asyncio.sleep(0.01)
