"""`callboard replay`: a recorded run once more, in a folder of its own, without a network."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import note
from callboard.cli.session import open_workspace


def replay(
    run: Annotated[str, typer.Argument(help="The run; the newest that models worked on is meant otherwise.")] = "",
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="PATH", help="Where to play it: an empty or new folder, which stays."),
    ] = None,
    json: Json = False,
) -> None:
    """Play a recorded run back: what models said is recorded, tools, gates, reviews and landings are real.

    It begins where the run began, with the directions as they are now. Nothing is sent to a model, and nothing outside the
    folder is touched.
    """
    from callboard.app import Workspace
    from callboard.cli.launching import real_launch
    from callboard.launch.launcher import LaunchOptions
    from callboard.launch.playing import lay_out

    workspace = open_workspace()
    path = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="callboard-replay-")).resolve()
    try:
        lay_out(workspace, run, path)
        note(f"plays in {path}")
        code = real_launch(Workspace.open(path, os.environ), LaunchOptions(), json=json)
    finally:
        if folder is None and not (path / ".callboard" / "logs").exists():
            shutil.rmtree(path, ignore_errors=True)
    if folder is None and code == 0:
        shutil.rmtree(path, ignore_errors=True)
    raise typer.Exit(code)
