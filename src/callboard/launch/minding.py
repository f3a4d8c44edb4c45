"""Beside the deployment agent: looks that every environment's switch, and who keeps it, still run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from loguru import logger

from callboard.agents.deployment.target import Target, reopen
from callboard.agents.deployment.times import Sleep
from callboard.agents.threads import run_to_end
from callboard.bus.ending import end
from callboard.bus.errors import CallboardError
from callboard.launch.lasting import lasting

if TYPE_CHECKING:
    from callboard.agents.settings import AgentSettings
    from callboard.app import Workspace

EVERY_S = 1.0
"""Either starts the other; so this is for both having ended at once, and costs two looks at /proc."""


@asynccontextmanager
async def minding(workspace: Workspace, agent: AgentSettings) -> AsyncIterator[None]:
    """For as long as the deployment agent works; nothing where it is another one."""
    if agent.role != "deployment" or workspace.settings.deploy is None:
        yield
        return
    from callboard.deploying import Deploying

    deploying = Deploying(workspace)
    targets = {name: deploying.target(name) for name in deploying.settings.environments}
    task = asyncio.create_task(lasting("the watch of the switches", partial(mind, targets), logger.warning))
    try:
        yield
    finally:
        await end(task)


async def mind(targets: Mapping[str, Target], sleep: Sleep = asyncio.sleep) -> None:
    """Have what ended run again, until cancelled; a switch that cannot be started keeps no other environment waiting."""
    told: dict[str, str] = {}
    """Environment -> why its switch cannot be started, said once."""
    while True:
        for name, target in targets.items():
            try:
                why = ""
                if await run_to_end(reopen, target):
                    logger.warning("the switch or its keeper had ended, and runs again", environment=name)
            except CallboardError as error:
                why = str(error)
                if why != told.get(name):
                    logger.error("the switch or its keeper cannot be started", environment=name, error=why)
            told[name] = why
        await sleep(EVERY_S)
