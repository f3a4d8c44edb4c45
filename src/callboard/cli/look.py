"""Commands that only look: status, runs, version."""

from __future__ import annotations

import platform
from dataclasses import replace
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import note, print_json, say, show
from callboard.cli.session import open_workspace, wait_for
from callboard.cli.status import tell

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.launch.summary import RunRow, Status


def status(
    everything: Annotated[bool, typer.Option("--all", help="Every task, however many there are.")] = False,
    json: Json = False,
) -> None:
    """How things stand: agents, tasks, questions, merges.

    Exit code 3: nothing runs here; the last state is shown all the same.
    """
    raise typer.Exit(tell(wait_for(_newest(open_workspace())), everything=everything, json=json))


async def _newest(workspace: Workspace) -> Status:
    """How the newest run stands, from the bus that runs, or from the stopped one's data."""
    from callboard.launch.joining import open_bus
    from callboard.launch.runs import runs
    from callboard.launch.status import status_of
    from callboard.launch.summary import NO_RUN

    known = runs(workspace.repository)
    if not known:
        return NO_RUN
    async with open_bus(workspace, known[-1]) as bus:
        if await bus.seq() == 0 and workspace.archive(bus.run).last() is not None:
            note(f"the bus has lost run {bus.run}: `callboard rebuild` or a launch brings it back from its archive")
        return await status_of(workspace, bus)


def runs(json: Json = False) -> None:
    """Every run of this repository and how it ended, the newest first."""
    workspace = open_workspace()
    rows = wait_for(_runs(workspace))
    if json:
        print_json(rows)
    elif not rows:
        say("no run yet; `callboard launch` starts one")
    else:
        from callboard.cli.lists import runs_table

        show(runs_table(rows))


async def _runs(workspace: Workspace) -> list[RunRow]:
    from callboard.bus.bus import Bus
    from callboard.launch.joining import open_bus
    from callboard.launch.runs import runs as known_runs
    from callboard.launch.status import status_of

    names = known_runs(workspace.repository)
    found: list[RunRow] = []
    if not names:
        return found
    async with open_bus(workspace, names[-1]) as newest:
        for name in reversed(names):
            bus = await Bus.connect(newest.url, name)
            try:
                status = await status_of(workspace, bus)
            finally:
                await bus.close()
            if status.run is not None:
                # a roster works on the newest run alone
                found.append(status.run if name == names[-1] else replace(status.run, running=False, launcher=None))
    return found


def version(json: Json = False) -> None:
    """Which Callboard this is."""
    if json:
        print_json({"callboard": version_of("callboard"), "python": platform.python_version()})
    else:
        say(f"callboard {version_of('callboard')}")
