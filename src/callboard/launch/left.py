"""Deployments that a launch leaves in the middle, and what share each release has then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callboard.agents.deployment.standing import Share, Standing, said, standing_of
from callboard.agents.deployment.target import give_back
from callboard.bus.deployments import DeploymentDoc

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.board import Board
    from callboard.deploying import Deploying

ON_TRIAL = ("promoting", "baking")
"""States in which Green has a share, or is about to get one."""
TRIES, TRY_EVERY_S = 30, 0.1
"""The keeper may be about it at this very moment; and a Blue that does not answer is waited for no longer than this."""


@dataclass(frozen=True, slots=True)
class Left:
    deployment: str
    environment: str
    state: str
    shares: tuple[Share, ...]
    notices: tuple[str, ...]
    question: str
    """What it waits for; "" = nothing but a launch."""


async def left_here(workspace: Workspace) -> tuple[Left, ...]:
    """The same of the newest run; nothing where a roster runs."""
    from callboard.launch.joining import open_bus
    from callboard.launch.runs import runs
    from callboard.launch.status import is_running

    known = runs(workspace.repository) if workspace.settings.deploy is not None else []
    if not known or is_running(workspace):
        return ()
    async with open_bus(workspace, known[-1]) as bus:
        board = await bus.board()
    return await left_by(workspace, board)


async def left_by(workspace: Workspace, board: Board) -> tuple[Left, ...]:
    """What is under way while nobody works on it. Blue has everything back by then, where that can be."""
    docs = [doc for doc in board.all(DeploymentDoc) if not doc.is_over]
    if not docs or workspace.settings.deploy is None:
        return ()
    from callboard.deploying import Deploying

    deploying, found = Deploying(workspace), []
    for doc in docs:
        if doc.environment in deploying.settings.environments:
            standing = await _settled(deploying, doc)
            found.append(Left(doc.id, doc.environment, doc.stands, standing.shares, standing.notices, doc.question))
    return tuple(found)


async def _settled(deploying: Deploying, doc: DeploymentDoc) -> Standing:
    target = deploying.target(doc.environment)
    for _ in range(TRIES):
        await asyncio.to_thread(give_back, target)
        found = await asyncio.to_thread(standing_of, target)
        of_green = sum(one.percent for one in found.shares if one.release == doc.release and doc.blue)
        if doc.state not in ON_TRIAL or doc.kind == "restore" or not of_green:
            break
        await asyncio.sleep(TRY_EVERY_S)
    return found


def left_lines(left: Sequence[Left]) -> list[str]:
    """For people, one after the other."""
    lines = []
    for one in left:
        now = said(one.shares) or "nothing runs there"
        waits = f"it waits for {one.question}" if one.question else "`callboard launch` goes on with it"
        lines.append(
            f"* {one.deployment} is left {one.state} in {one.environment}, where {now}: {waits}, "
            f"`callboard rollback --env {one.environment}` ends it"
        )
        lines += [f"  {notice}" for notice in one.notices]
    return lines
