"""`callboard replay`: a run or a recording once more, in a folder of its own, without a network."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import note
from callboard.cli.session import open_workspace

if TYPE_CHECKING:
    from callboard.app import Workspace


def replay(
    what: Annotated[
        str,
        typer.Argument(
            metavar="RUN|FOLDER",
            help="A run of this clone, or a recording's folder; the newest run that models worked on is meant otherwise.",
        ),
    ] = "",
    folder: Annotated[
        Path | None,
        typer.Option("--dir", metavar="PATH", help="Where to play it: an empty or new folder, which stays."),
    ] = None,
    json: Json = False,
) -> None:
    """Play a recorded run back: what models said is recorded, tools, gates, reviews and landings are real.

    It begins where the run began. Nothing is sent to a model, and nothing outside the folder is touched.
    """
    from callboard.app import Workspace
    from callboard.cli.launching import real_launch
    from callboard.launch.options import LaunchOptions

    workspace = open_workspace()
    path = folder.absolute() if folder else Path(tempfile.mkdtemp(prefix="callboard-replay-")).resolve()
    try:
        _lay_out(workspace, what, path)
        note(f"plays in {path}")
        code = real_launch(Workspace.open(path, os.environ), LaunchOptions(), json=json)
    finally:
        if folder is None and not (path / ".callboard" / "logs").exists():
            shutil.rmtree(path, ignore_errors=True)
    if folder is None and code == 0:
        shutil.rmtree(path, ignore_errors=True)
    raise typer.Exit(code)


def _lay_out(workspace: Workspace, what: str, path: Path) -> None:
    from callboard.launch.playing import lay_out
    from callboard.launch.recording import ABOUT, as_it_is, record

    if what and (Path(what) / ABOUT).is_file():
        lay_out(workspace, Path(what), path)
        return
    with tempfile.TemporaryDirectory(prefix="callboard-recording-") as place:
        made = Path(place) / "recording"
        record(workspace, what, made, as_it_is)
        lay_out(workspace, made, path)
