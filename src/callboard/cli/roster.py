"""Commands about the whole roster: launch, stop, pause, resume, and the hidden one that an agent's process runs."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from callboard.bus.errors import RosterError
from callboard.cli.exit_codes import NOTHING_RUNS
from callboard.cli.options import Json
from callboard.cli.output import note, print_json, say
from callboard.cli.session import launchers, open_workspace, tell_manager, wait_for

if TYPE_CHECKING:
    from callboard.agents.workspace.locks import Holder
    from callboard.app import Workspace

STOP_S = 60.0
"""How long `stop` waits: agents get a grace to put their work down, then they are ended."""
LAST_BREATH_S = 3.0
LOOK_S = 0.1


def launch(
    detach: Annotated[bool, typer.Option("--detach", help="Run in the background; `callboard stop` ends it.")] = False,
    stay: Annotated[bool, typer.Option("--stay", help="Go on when all work is done, and wait for more.")] = False,
    new: Annotated[bool, typer.Option("--new", help="Begin a new run, though one is unfinished.")] = False,
    from_: Annotated[
        str,
        typer.Option("--from", metavar="target|RUN", help="Where a new run begins, if an earlier one is not promoted."),
    ] = "",
    again: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="Do a finished task again; give as many as you like.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AGENT", help="Start this agent alone; give as many as you like. The others run elsewhere."
        ),
    ] = None,
    goal: Annotated[str, typer.Option(help="What a new run is for, in a sentence.")] = "",
    safety: Annotated[
        Literal["normal", "safety_critical"] | None,
        typer.Option(help="A new run's profile: how many issues its tiers may have (docs/issues.md)."),
    ] = None,
    no_web: Annotated[bool, typer.Option("--no-web", help="Start no dashboard beside it.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and print what would be assigned; start nothing.")
    ] = False,
    json: Json = False,
) -> None:
    """Start the roster and work until everything is done.

    Launching again goes on where it stopped.
    Ctrl-C stops it cleanly, a second one at once.
    Exit code 1: tasks failed; 4: only people can move what is left; 130: Ctrl-C with work left.
    """
    from callboard.cli.launching import detached_launch, dry_launch, real_launch
    from callboard.launch.options import LaunchOptions

    starts, redone = tuple(only or ()), tuple(again or ())
    options = LaunchOptions(
        stay=stay, new=new, from_=from_, goal=goal, safety=safety, only=starts, again=redone, web=not no_web
    )
    way = dry_launch if dry_run else detached_launch if detach else real_launch
    raise typer.Exit(way(open_workspace(), options, json=json))


def stop(
    now: Annotated[bool, typer.Option("--now", help="Do not wait for agents to put their work down.")] = False,
    json: Json = False,
) -> None:
    """Stop the roster that runs here.

    Everything is kept, `callboard launch` goes on.
    Exit code 3: nothing runs here.
    """
    workspace = open_workspace()
    found = launchers(workspace)
    elsewhere = [holder for holder in found if holder.host != socket.gethostname()]
    if elsewhere:
        raise RosterError(f"the roster runs on {elsewhere[0].host} (process {elsewhere[0].pid}); stop it there")
    _ask_to_stop(found)
    _wait_until_stopped(workspace, found, now=now)
    _stopped(workspace, [holder.pid for holder in found], json=json)
    if not found:
        raise typer.Exit(NOTHING_RUNS)


def _ask_to_stop(launchers: list[Holder]) -> None:
    for holder in launchers:
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGTERM)


def _wait_until_stopped(workspace: Workspace, asked: list[Holder], *, now: bool) -> None:
    deadline = time.monotonic() + STOP_S
    while left := [holder for holder in launchers(workspace) if holder in asked]:
        if time.monotonic() > deadline:
            raise RosterError(
                f"process {left[0].pid} has not stopped within {STOP_S:.0f} s; `callboard stop --now` ends it at once"
            )
        time.sleep(LOOK_S)
        if now:
            _ask_to_stop(left)  # a second request ends it at once; two sent together could arrive as one
    # it lets go of its lock a moment before it ends
    ends = time.monotonic() + LAST_BREATH_S
    while any(_lives(holder.pid) for holder in asked) and time.monotonic() < ends:
        time.sleep(LOOK_S)


def _lives(pid: int) -> bool:
    """Whether a process still runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return not Path("/proc/self/stat").exists()


def _stopped(workspace: Workspace, pids: list[int], *, json: bool) -> None:
    from callboard.launch.left import left_here, left_lines

    left = wait_for(left_here(workspace)) if pids else ()
    if json:
        print_json({"stopped": bool(pids), "pids": pids, "left": left})
    elif pids:
        for line in ("stopped; everything is kept, `callboard launch` goes on", *left_lines(left)):
            say(line)
    else:
        note("nothing runs here, so there is nothing to stop")


def pause(
    reason: Annotated[str, typer.Option(help="Why; it stands in the logs and in the status.")] = "", json: Json = False
) -> None:
    """Hand out nothing new; agents finish what they hold."""
    from callboard.bus.messages import CommandGiven

    tell_manager(open_workspace(), CommandGiven(command="pause", text=reason), json=json)


def resume(json: Json = False) -> None:
    """Go on after a pause.

    The budget in callboard.toml, as it stands now, counts from here on.
    """
    from callboard.bus.messages import CommandGiven

    workspace = open_workspace()
    limits = workspace.settings.limits
    tell_manager(workspace, CommandGiven(command="resume", limits=limits), json=json)


def agent(
    name: Annotated[str, typer.Argument()],
    run: Annotated[str, typer.Option()],
    again: Annotated[list[str] | None, typer.Option()] = None,
) -> None:
    """One agent's process, as the launcher starts it."""
    from callboard.launch.agent import run_agent

    raise typer.Exit(wait_for(run_agent(open_workspace(), name, run, tuple(again or ()))))


def fork_server(
    control: Annotated[int, typer.Argument()], preload: Annotated[list[str] | None, typer.Option()] = None
) -> None:
    """What a launch forks its agents from; returns in each of them, to work as `callboard agent`."""
    from callboard.cli.application import main
    from callboard.launch.fork_server import PRELOAD, serve

    raise typer.Exit(main(serve(control, (*PRELOAD, *(preload or ())))))
