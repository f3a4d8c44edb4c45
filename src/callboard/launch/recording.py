"""Makes a recording of a run: what its models said, with all that it takes to play it in another clone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from callboard.agents.brains.recorder import Redact, talk_in
from callboard.agents.brains.recording import Recording
from callboard.agents.settings import PLANNING
from callboard.app import Workspace
from callboard.bus.errors import RosterError
from callboard.launch.folders import refuse_filled
from callboard.launch.runs import PREFIX
from callboard.settings import FILE

ABOUT: Final = "recording.json"
TALKS: Final = "talks"


class AboutRecording(BaseModel):
    """`recording.json`"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    base: Annotated[str, Field(pattern="^[0-9a-f]{40,64}$")]
    """The commit that the run began with; every clone has it under the same id."""


@dataclass(frozen=True, slots=True)
class Recorded:
    run: str
    folder: Path
    talks: int
    """Attempts and reviews."""
    replies: int


def record(workspace: Workspace, run: str, folder: Path, redact: Redact) -> Recorded:
    """Fill an empty or absent folder with what a run's models said, and with the roster and directions as they are now.

    Args:
        run: The run; "" = the newest that has call logs.
        redact: Takes out what nobody may see.

    Raises:
        RosterError: The run cannot be recorded, or something is in the folder; nothing was changed.
        BrainError: A call log cannot be recorded.
    """
    chosen = _with_calls(workspace, run)
    base = workspace.repository.resolve(f"{PREFIX}/{chosen}/base")
    if base is None:
        raise RosterError(f"the commit that run {chosen} began with is gone: there is no {PREFIX}/{chosen}/base")
    others = [it.name for it in (*workspace.settings.drivers, *workspace.settings.reviewers) if it.model is None]
    if others:
        raise RosterError(f"only what models said is recorded, and {', '.join(others)} think with something else")
    refuse_filled(folder)
    logs = sorted(path for path in workspace.layout.calls(chosen).glob("*.jsonl") if ".cut-" not in path.name)
    talks = [talk for path in logs if (talk := talk_in(path, redact)) is not None]
    folder.mkdir(parents=True, exist_ok=True)
    recording = Recording(folder / TALKS)
    for talk in talks:
        recording.write(talk)
    _copy_workspace(workspace, folder, base)
    return Recorded(chosen, folder, len(talks), sum(len(talk.replies) for talk in talks))


def read_recording(folder: Path) -> AboutRecording:
    """What a recording says of itself.

    Raises:
        RosterError: The folder holds none.
    """
    try:
        return AboutRecording.model_validate_json((folder / ABOUT).read_bytes())
    except (OSError, ValidationError) as error:
        raise RosterError(f"{folder} holds no recording, which `callboard record` makes: {error}") from error


def as_it_is(value: JsonValue) -> JsonValue:
    """For a recording that stays where its run was."""
    return value


def _copy_workspace(workspace: Workspace, folder: Path, base: str) -> None:
    paths = workspace.settings.paths
    shutil.copy2(workspace.root / FILE, folder / FILE)
    for name in (paths.directions, paths.roles):
        if (workspace.root / name).is_dir():
            shutil.copytree(workspace.root / name, folder / name, dirs_exist_ok=True)
    (folder / ABOUT).write_text(AboutRecording(base=base).model_dump_json() + "\n", "utf-8")


def _with_calls(workspace: Workspace, run: str) -> str:
    folder = workspace.layout.home / "calls"
    known = sorted({entry.name for entry in folder.iterdir()} - {PLANNING}) if folder.is_dir() else []
    if not known:
        raise RosterError("no run here has a recorded model call; only those of models can be recorded")
    if run and run not in known:
        raise RosterError(f"no call of run {run!r} is recorded; there are {', '.join(known)}")
    return run or known[-1]
