"""`callboard bus`: the traffic between the agents, as it is now and as it was."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import BusError
from callboard.cli.exit_codes import NOTHING_RUNS
from callboard.cli.options import Json
from callboard.cli.output import note, plural, print_json, say, show
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.app import Workspace
    from callboard.bus.bus import Bus
    from callboard.bus.causes import Traced
    from callboard.cli.traffic import Traffic

LEAST_ID = 4
"""Letters of a message's id that are enough to look for it."""

bus = typer.Typer(no_args_is_help=True, help="The traffic between the agents: top, trace; env, to join it.")


@bus.command()
def env(json: Json = False) -> None:
    """Where a program of yours finds the bus of the run that is at work: `export $(callboard bus env)` (docs/bus.md).

    Whoever can reach it can do everything on it: it is for programs that you trust as you trust yourself.
    Exit code 3: nothing runs here.
    """
    from callboard.launch.joining import current_run
    from callboard.launch.serving import bus_url
    from callboard.launch.status import is_running

    workspace = open_workspace()
    run = current_run(workspace)
    if is_running(workspace) is None:
        note("nothing runs here, so there is no bus to join; `callboard launch` first")
        raise typer.Exit(NOTHING_RUNS)
    found = {"BUS_URL": bus_url(workspace), "BUS_RUN": run}
    if json:
        print_json(found)
    else:
        for name, value in found.items():
            say(f"{name}={value}")


@bus.command()
def top(
    every_s: Annotated[float, typer.Option("--every", min=0.2, max=3600, help="Seconds between two looks.")] = 1.0,
    json: Json = False,
) -> None:
    """Each inbox, live: how fast it moves, what waits, what is held and for how long, what came back.

    On a terminal until Ctrl-C; elsewhere, and with --json, one look over --every seconds.
    """
    workspace = open_workspace()
    if json or not sys.stdout.isatty():
        found = wait_for(_look_once(workspace, every_s))
        if json:
            print_json(found)
        else:
            from callboard.cli.traffic import draw

            show(draw(found))
    else:
        wait_for(_look_on(workspace, every_s))


async def _look_once(workspace: Workspace, every_s: float) -> Traffic:
    from callboard.cli.traffic import traffic
    from callboard.launch.inboxes import inboxes
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        names = inboxes(await bus.board())
        before = await bus.gauges(names)
        await asyncio.sleep(every_s)
        return traffic(bus.run, before, await bus.gauges(names))


async def _look_on(workspace: Workspace, every_s: float) -> None:
    from rich.live import Live

    from callboard.cli.output import console
    from callboard.cli.traffic import draw, traffic
    from callboard.launch.inboxes import inboxes
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        before = await bus.gauges(inboxes(await bus.board()))
        with Live(console=console(), auto_refresh=False, screen=True) as live:
            while True:
                await asyncio.sleep(every_s)
                after = await bus.gauges(inboxes(await bus.board()))
                live.update(draw(traffic(bus.run, before, after)), refresh=True)
                before = after


@bus.command()
def trace(
    what: Annotated[str, typer.Argument(metavar="TASK|MESSAGE", help="A task's id, or the beginning of a message's.")],
    json: Json = False,
) -> None:
    """What led to what, with times: the messages about a task, or all that a message came from and led to."""
    workspace = open_workspace()
    found = wait_for(_trace(workspace, what))
    if json:
        print_json(found)
        return
    from callboard.cli.traced import draw

    show(draw(found))
    waiting = sum(each.handled_at is None and not each.dead for each in found)
    say(f"{plural(len(found), 'message')}, {waiting} not handled")


async def _trace(workspace: Workspace, what: str) -> tuple[Traced, ...]:
    from callboard.launch.joining import current_run, open_bus

    async with open_bus(workspace, current_run(workspace)) as bus:
        return await _find(bus, what)


async def _find(bus: Bus, what: str) -> tuple[Traced, ...]:
    from callboard.bus.causes import Causes

    causes = Causes([entry async for entry in bus.journal()])
    found = causes.of_task(what) or (causes.of_message(what) if len(what) >= LEAST_ID else ())
    if not found:
        raise BusError(
            f"no message of run {bus.run} is about a task {what!r}, and none has an id that begins so (at least "
            f"{LEAST_ID} letters); `callboard status --all` names the tasks, and a trace with --json the messages"
        )
    return found
