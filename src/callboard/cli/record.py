"""`callboard record`: what a run's models said, as a folder that can be committed and played in any clone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callboard.cli.options import Json
from callboard.cli.output import plural, print_json, say
from callboard.cli.session import open_workspace


def record(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where it goes: an empty or new folder.")],
    run: Annotated[str, typer.Option(help="The run; the newest that models worked on is meant otherwise.")] = "",
    json: Json = False,
) -> None:
    """Make a recording of a run: every reply of its models, its roster and its directions, without secrets.

    `callboard replay FOLDER` plays it without a network, in any clone of the repository.
    """
    from callboard.launch.recording import record as record_run

    workspace = open_workspace()
    made = record_run(workspace, run, folder.absolute(), workspace.redactor.value)
    if json:
        print_json({"run": made.run, "folder": str(made.folder), "talks": made.talks, "replies": made.replies})
        return
    say(
        f"{folder} has what models said in run {made.run}: {plural(made.talks, 'attempt')} and reviews, "
        f"{plural(made.replies, 'call')}; read it before you give it away"
    )
    say(f"`callboard replay {folder}` plays it, in any clone of this repository")
