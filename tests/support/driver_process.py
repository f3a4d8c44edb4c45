"""A driver as a process of its own: `python driver_process.py URL RUN ROOT COMMAND INCARNATION`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from agent_world import seat_at

from callboard.agents.brains.command import CommandBrain
from callboard.agents.driver.handler import DriverHandler
from callboard.agents.driver.task_run import Post
from callboard.agents.runtime import Runtime
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.layout import Layout
from callboard.bus.bus import Bus

AGENT = "driver-1"


def driver_of(root: Path, command: str) -> DriverHandler:
    layout = Layout(root)
    clone = AgentClone(layout, Repository(root), AGENT)
    return DriverHandler(Post(seat_at(layout.clone(AGENT), AGENT), clone, progress_every_s=0.0), CommandBrain(command))


NEVER_S = 3_600.0
"""A lease no test waits for: what is taken over was taken over at once."""


def runtime_of(bus: Bus, root: Path, command: str, incarnation: str) -> Runtime:
    consumer = f"{AGENT}.host.{incarnation}"
    handler = driver_of(root, command)
    return Runtime(
        bus,
        {AGENT: handler},
        consumer,
        may_send=lambda sender, kind: True,
        handler_timeout_s=60.0,
        lease_s=NEVER_S,
    )


async def main(url: str, run: str, root: str, command: str, incarnation: str) -> None:
    bus = await Bus.connect(url, run)
    await runtime_of(bus, Path(root), command, incarnation).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
