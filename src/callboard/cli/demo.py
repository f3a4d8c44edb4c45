"""`callboard demo`: a roster works a small service in a repository made for it, with recorded model replies."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from callboard.bus.errors import RosterError
from callboard.cli.exit_codes import FAILED, INTERRUPTED
from callboard.cli.options import Json
from callboard.cli.output import console, note, print_json, say

WIDEST = 100
OPENING = "Seven agents work a small web service in {path}; what their models say was recorded, all else is real."


def demo(
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="PATH", help="Where to play it: an empty or new folder, which stays."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Let the temporary folder stay although all went well.")] = False,
    no_web: Annotated[bool, typer.Option("--no-web", help="Start no dashboard beside it.")] = False,
    json: Json = False,
) -> None:
    """See a whole roster at work, in a minute: ten tasks, most of what can go wrong with them, and three deployments.

    What the models say is recorded, everything else is real. Nothing outside its own folder is touched.
    """
    began = time.monotonic()
    path = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="callboard-demo-")).resolve()
    stays = keep or folder is not None
    code = FAILED
    try:
        code = _demo(path, stays=stays, began=began, web=not no_web, json=json)
    finally:
        if not stays:
            leave(path, code)
    raise typer.Exit(code)


def _demo(path: Path, *, stays: bool, began: float, web: bool, json: bool) -> int:
    from callboard.bus.clock import utc_now
    from callboard.cli.launching import dashboard, log_to
    from callboard.cli.live import choose_view
    from callboard.cli.session import wait_for
    from callboard.demo.checks import check
    from callboard.demo.report import further, page, report
    from callboard.demo.run import look_back, open_demo, play
    from callboard.launch.options import nothing
    from callboard.launch.sandboxing import probe
    from callboard.launch.summary import Launcher

    try:
        workspace = open_demo(path, os.environ)
    except FileExistsError as error:
        raise RosterError(f"{error}; a demo that was begun there goes on with `callboard launch` in it") from error
    log_to(workspace.layout.log("launcher"), workspace.settings.log)
    (note if json else say)(OPENING.format(path=path))
    view = choose_view(Launcher(pid=os.getpid(), host=socket.gethostname(), since=utc_now()), json=json)
    played = play(workspace, view, beside=dashboard(workspace) if web else nothing)
    evidence, sandbox = look_back(workspace, played.served), str(wait_for(probe(workspace)))
    checks = check(evidence)
    seconds = time.monotonic() - began
    told = report(evidence, checks, path, seconds)
    width = min(WIDEST, console().width)
    if json:
        print_json(told)
    elif played.outcome == "stopped":
        say(f"stopped before its end; `callboard launch` in {path} goes on")
    else:
        for line in (
            "",
            *page(checks, seconds, width, sandbox),
            "",
            *further(path, stays, _scripts(os.environ), width),
        ):
            say(line)
    return INTERRUPTED if played.outcome == "stopped" else 0 if told.ok else FAILED


def leave(path: Path, code: int) -> None:
    """A temporary folder goes when all went well, and when nothing was launched in it."""
    if code == 0 or not (path / ".callboard").exists():
        shutil.rmtree(path, ignore_errors=True)
    else:
        note(f"the demo's folder is kept, to look into: {path}")


def _scripts(environ: Mapping[str, str]) -> str:
    """The folder of the `callboard` script, where uv has put it on the PATH for this command alone; else ""."""
    return str(Path(sys.executable).parent) if environ.get("UV_RUN_RECURSION_DEPTH") else ""
