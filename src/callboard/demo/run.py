"""Plays the demo: a workspace, a real launch in it, deployments under load, the promotion, and a look at what is left of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from callboard.agents.deployment.settings import PRODUCTION
from callboard.agents.deployment.target import Target
from callboard.app import Workspace
from callboard.bus.board import Board
from callboard.bus.clock import utc_now
from callboard.bus.errors import RosterError
from callboard.bus.messages import Body, CommandGiven, CommandHandled
from callboard.demo.evidence import Evidence
from callboard.demo.person import Person
from callboard.demo.served import Served, read_served, stop_all
from callboard.demo.story import read_story
from callboard.demo.traces import read_traces
from callboard.demo.visitors import Visitors
from callboard.demo.workspace import make_workspace
from callboard.deploying import Deploying
from callboard.launch.joining import current_run, open_bus
from callboard.launch.launcher import INTERRUPTED, View, launch
from callboard.launch.options import Beside, LaunchOptions, nothing
from callboard.launch.sandboxing import probe
from callboard.launch.telling import give
from callboard.settings.environment import SHARED

Outcome = Literal["succeeded", "stopped", "stuck"]
"""`stopped`: by a person; `stuck`: it ended by itself, before all was done."""

LIMIT_S = 420.0
"""Of the launch, which takes less than a minute on a machine with two idle cores; what takes so long hangs."""


@dataclass(frozen=True, slots=True)
class Played:
    outcome: Outcome
    served: Served


def open_demo(path: Path, environ: Mapping[str, str]) -> Workspace:
    """Lay the demo's workspace out in an empty or absent folder.

    Where no sandbox can be had the demo plays without one, and says so: all that is run in it was recorded beforehand.

    Raises:
        FileExistsError: Something is in the folder.
        CallboardError: git cannot be used.
    """
    make_workspace(path, utc_now())
    own = demo_environment(environ, Path(sys.executable).parent)
    workspace = Workspace.open(path, own)
    try:
        asyncio.run(probe(workspace))
    except RosterError:
        return Workspace.open(path, {**own, "CALLBOARD_SANDBOX_KIND": "off"})
    return workspace


def demo_environment(environ: Mapping[str, str], python: Path) -> dict[str, str]:
    """The environment that the demo runs in: nobody's settings, and a `python3` that is sure to run the service.

    Args:
        python: The folder of the Python that runs Callboard.
    """
    own = {name: value for name, value in environ.items() if not name.startswith("CALLBOARD_") and name not in SHARED}
    return {**own, "PATH": os.pathsep.join([str(python), environ.get("PATH", os.defpath)])}


def play(workspace: Workspace, view: View, limit_s: float = LIMIT_S, *, beside: Beside = nothing) -> Played:
    """Launch the roster, deploy and promote what it lands. Nothing that was deployed runs at the end.

    Raises:
        CallboardError: It could not be launched, answered or promoted.
    """
    target = Deploying(workspace).target(PRODUCTION)
    why_not = "; ".join(target.problems())
    if why_not:
        view.event(f"nothing is deployed here: {why_not}")
    try:
        code, board, served = asyncio.run(_launch(workspace, view, limit_s, target, why_not, beside))
    finally:
        stop_all(target)
    if board.run.state != "succeeded":
        return Played("stopped" if code in (0, INTERRUPTED) else "stuck", served)
    handled = asyncio.run(give(workspace, CommandGiven(command="promote")))
    view.event(handled.text)
    return Played("succeeded", served)


async def _launch(
    workspace: Workspace, view: View, limit_s: float, target: Target, why_not: str, beside: Beside
) -> tuple[int, Board, Served]:
    settings = Deploying(workspace).settings
    visitors = Visitors(settings.port_in(PRODUCTION))

    async def tell(command: Body, key: str) -> CommandHandled:
        return await give(workspace, command, key=key)

    person = Person(view, tell, None if why_not else visitors)
    try:
        async with asyncio.timeout(limit_s):
            code = await launch(workspace, LaunchOptions(holds=person.holds, beside=beside), person)
    except TimeoutError as error:
        raise RosterError(
            f"the roster was not done within {limit_s:.0f} s; its logs are in {workspace.layout.home}/logs"
        ) from error
    finally:
        await visitors.leave()
        await person.done()
    return code, person.last, read_served(visitors.visits, target, why_not)


def look_back(workspace: Workspace, served: Served) -> Evidence:
    """Read what happened from the bus, from git and from the logs.

    Raises:
        CallboardError: One of them cannot be read.
    """
    return asyncio.run(_look_back(workspace, served))


async def _look_back(workspace: Workspace, served: Served) -> Evidence:
    async with open_bus(workspace, current_run(workspace)) as bus:
        board = await bus.board()
        story = read_story([entry async for entry in bus.journal()])
    return Evidence(board, story, await asyncio.to_thread(read_traces, workspace, board.run), served)
