"""Recorded transcripts: JSON lines, one step a line (docs/brains.md).

One file per agent, task and attempt: `<folder>/<agent>/<key>.<attempt>.jsonl`, the key of an agent's own task without
the agent's name in front.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from callboard.agents.brains.answer import read_object
from callboard.bus.errors import BrainError

MAX_WAIT_S = 2.0
"""The longest pause a recording may ask for; a replay is there to be watched, not waited for."""


class Step(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Say(Step):
    say: str


class Write(Step):
    write: str
    text: str


class Edit(Step):
    edit: str
    old: str
    new: str


class Delete(Step):
    delete: str


class Run(Step):
    run: str


class Wait(Step):
    wait: Annotated[float, Field(ge=0, le=MAX_WAIT_S, strict=False)]


class Question(Step):
    text: str
    options: Annotated[tuple[str, ...], Field(strict=False)] = ()


class Ask(Step):
    ask: Question


class Blocker(Step):
    what: str
    tried: str = ""
    needs: str = ""
    severity: Literal["minor", "major"] = "major"


class Block(Step):
    blocked: Blocker


class Finish(Step):
    done: str


class Judge(Step):
    verdict: JsonValue
    """An object is given as a verdict is; a string is given as it stands, so that garbage can be recorded too."""


AnyStep = Say | Write | Edit | Delete | Run | Wait | Ask | Block | Finish | Judge
STEPS: Mapping[str, type[AnyStep]] = {
    "say": Say,
    "write": Write,
    "edit": Edit,
    "delete": Delete,
    "run": Run,
    "wait": Wait,
    "ask": Ask,
    "blocked": Block,
    "done": Finish,
    "verdict": Judge,
}
ENDS = (Ask, Block, Finish, Judge)
"""Steps that end an attempt; `ask` and `blocked` park it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step and where it stands."""

    place: str
    """file:line, for errors."""
    step: AnyStep


@dataclass(frozen=True, slots=True)
class Transcript:
    path: Path
    lines: tuple[Line, ...]

    @property
    def parks(self) -> bool:
        """True if the attempt recorded here stops for an answer."""
        return any(isinstance(line.step, Ask | Block) for line in self.lines)

    def after_parking(self) -> tuple[Line, ...]:
        """The steps after the first that parks."""
        parked = next(n for n, line in enumerate(self.lines) if isinstance(line.step, Ask | Block))
        return self.lines[parked + 1 :]


def read_transcript(path: Path) -> Transcript:
    """Read a whole transcript before any of it is played.

    Raises:
        BrainError: It cannot be read, or holds a line that is no step; the message names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BrainError(f"{path}: the transcript cannot be read: {error}") from error
    numbered = enumerate(text.split("\n"), start=1)
    return Transcript(path, tuple(_line(f"{path}:{n}", raw) for n, raw in numbered if raw.strip()))


def _line(place: str, raw: str) -> Line:
    try:
        value = read_object(raw)
    except BrainError as error:
        raise BrainError(f"{place}: {error}") from error
    kind = next((STEPS[name] for name in value if name in STEPS), None)
    if kind is None:
        raise BrainError(f"{place}: unknown step {', '.join(value) or '{}'}; the steps are {', '.join(STEPS)}")
    try:
        return Line(place, kind.model_validate(value))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BrainError(f"{place}: {where}: {first['msg']}; see docs/brains.md") from error


def recorded(folder: Path, agent: str, key: str) -> dict[int, Path]:
    """The transcripts of a task by attempt.

    Raises:
        BrainError: The key leads out of the folder.
    """
    stem = Path(agent, *key.removeprefix(f"{agent}/").split("/"))
    if ".." in stem.parts or stem.is_absolute():
        raise BrainError(f"the task key {key!r} cannot name a transcript below {folder}")
    number = re.compile(re.escape(stem.name) + r"\.([1-9][0-9]{0,5})\.jsonl")
    here = (folder / stem).parent
    names = sorted(here.iterdir()) if here.is_dir() else []
    return {int(found[1]): path for path in names if (found := number.fullmatch(path.name))}


def choose(parks: Mapping[int, bool], attempt: int, answers: int) -> tuple[int, bool] | None:
    """Which recorded attempt is played.

    The highest recorded one that is not above `attempt`; but one that stops for an answer which has been given since is
    not played again: the next recorded one is, or else its own steps after the stop.

    Args:
        parks: Recorded attempts, and whether each stops for an answer.
        attempt: The attempt at hand, from 1.
        answers: How many answers the task has had so far.

    Returns:
        The recorded attempt, and whether its steps after the stop are meant; None when nothing is recorded for it.
    """
    numbers = sorted(parks)
    below = [n for n in numbers if n <= attempt]
    if not below:
        return None
    chosen = below[-1]
    left = answers - sum(parks[n] for n in below[:-1])
    while parks[chosen] and left > 0:
        later = [n for n in numbers if n > chosen]
        if not later:
            return chosen, True
        chosen, left = later[0], left - 1
    return chosen, False
