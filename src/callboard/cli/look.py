"""Commands that only look: status, runs, version."""

from __future__ import annotations

import platform
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.exit_codes import NOTHING_RUNS
from callboard.cli.options import Json
from callboard.cli.output import note, print_json, say, show
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.bus import Bus
    from callboard.cli.summary import RunRow, Status

NOT_HERE = {"running": False, "launcher": None}
"""A roster works on the newest run alone."""
ROWS = 30
"""Rows of a list that `status` shows without --all."""


def status(
    everything: Annotated[bool, typer.Option("--all", help="Every task, however many there are.")] = False,
    json: Json = False,
) -> None:
    """How things stand: agents, tasks, questions, merges.

    Exit code 3: nothing runs here; the last state is shown all the same.
    """
    from callboard.cli.advice import next_steps

    found = wait_for(read_status(open_workspace()))
    running = found.run is not None and found.run.running
    if json:
        print_json(found)
    else:
        _draw(found, None if everything else ROWS)
        for step in next_steps(found):
            say(f"* {step}")
        if not running:
            note("nothing runs here now")
    if not running:
        raise typer.Exit(NOTHING_RUNS)


def _draw(found: Status, rows: int | None) -> None:
    from callboard.bus.clock import utc_now
    from callboard.cli.view import render

    if found.run is not None:
        show(render(found, rows=rows, now=utc_now()))
        say()


async def read_status(workspace: Workspace) -> Status:
    """How the newest run stands, from the bus that runs, or from the stopped one's data."""
    from callboard.cli.summary import NO_RUN
    from callboard.launch.joining import open_bus
    from callboard.launch.runs import runs

    known = runs(workspace.repository)
    if not known:
        return NO_RUN
    async with open_bus(workspace, known[-1]) as bus:
        return await read_bus(workspace, bus)


async def read_bus(workspace: Workspace, bus: Bus) -> Status:
    """A run's status, with who runs the roster here and where the agents' branches are."""
    from callboard.bus.settings import EMBEDDED
    from callboard.cli.summarise import summarise
    from callboard.cli.summary import Launcher, at_rest
    from callboard.launch.joining import is_running

    holder = is_running(workspace)
    launcher = Launcher(pid=holder.pid, host=holder.host, since=holder.since) if holder else None
    board, dead = await bus.board(), len(await bus.dead())
    status = summarise(
        board, launcher=launcher, branches=branches_of(workspace), dead_letters=dead, spent=await bus.spending.seen()
    )
    # with the server in here nobody can work elsewhere; with another one, parts of the roster may
    return at_rest(status) if launcher is None and workspace.settings.bus.url == EMBEDDED else status


def branches_of(workspace: Workspace) -> dict[str, str]:
    """Every branch's short name -> its commit."""
    refs = workspace.repository.refs("refs/heads")
    return {ref.removeprefix("refs/heads/"): commit for ref, commit in refs.items()}


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

    names = known_runs(workspace.repository)
    found: list[RunRow] = []
    if not names:
        return found
    async with open_bus(workspace, names[-1]) as newest:
        for name in reversed(names):
            bus = await Bus.connect(newest.url, name)
            try:
                status = await read_bus(workspace, bus)
            finally:
                await bus.close()
            if status.run is not None:
                found.append(status.run if name == names[-1] else status.run.model_copy(update=NOT_HERE))
    return found


def version(json: Json = False) -> None:
    """Which Callboard this is."""
    if json:
        print_json({"callboard": version_of("callboard"), "python": platform.python_version()})
    else:
        say(f"callboard {version_of('callboard')}")
