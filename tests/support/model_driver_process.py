"""A driver that thinks with a model, as a process of its own: `python model_driver_process.py URL RUN ROOT MODEL_URL`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from agent_world import seat_at
from driver_process import AGENT

from callboard.agents.brains.brain import AnyJob
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.model.brain import ModelBrain
from callboard.agents.brains.model.wire import OneModel
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.run_budget import RunBudget
from callboard.agents.brains.settings import ModelSettings
from callboard.agents.driver.handler import DriverHandler
from callboard.agents.driver.task_run import Post
from callboard.agents.runtime import Runtime
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.layout import Layout
from callboard.bus.bus import Bus


async def main(url: str, run: str, root: str, model_url: str) -> None:
    bus = await Bus.connect(url, run)
    layout = Layout(Path(root))
    budget = RunBudget(bus, AGENT, Prices())
    settings = ModelSettings(provider="anthropic", model="m", base_url=model_url)

    def open_log(job: AnyJob) -> CallFile:
        return CallFile(layout.call_log(job.seat.run, job.task, job.attempt, job.seat.agent))

    brain = ModelBrain(
        OneModel("m", settings, None, budget=budget), open_log, now=lambda: datetime.now(UTC), budget=budget
    )
    clone = AgentClone(layout, Repository(Path(root)), AGENT)
    handler = DriverHandler(Post(seat_at(layout.clone(AGENT), AGENT, timeout_s=120), clone), brain)
    consumer = f"{AGENT}.host.{os.getpid()}"
    runtime = Runtime(bus, {AGENT: handler}, consumer, may_send=lambda sender, kind: True, handler_timeout_s=180.0)
    await runtime.run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
