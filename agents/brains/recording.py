"""A recording: what models said in a run, in files that people can read, commit, and play somewhere else (docs/models.md).

One file per attempt and review, `<agent>/<key>.<attempt>[.<round>].jsonl`, the key of an agent's own task without the
agent's name in front: a line about what it was, then one line per reply. It holds no dates, paths, ids of runs or of
commits. What tools gave back is not in it, as they are executed again, but for tools of other servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from callboard.agents.brains.answer import read_object
from callboard.agents.brains.budget import Usage
from callboard.agents.brains.calls import About
from callboard.bus.errors import BrainError
from callboard.bus.messages import ParkCause

FIRST = 1
"""The round of a review that its file's name leaves out."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Called(_Line):
    """A tool that a reply calls."""

    tool: str
    arguments: JsonValue = {}
    """As the model gave them: an object, or a text where it was none."""
    ok: bool | None = None
    """Whether it did what was asked of it; None = it ended the work, or was not executed."""
    result: str | None = None
    """What it gave back; None = it is executed again."""


class Said(_Line):
    """One reply of a model."""

    model: str
    """Who answered: a name of `[models.NAME]`."""
    says: str = ""
    calls: tuple[Called, ...] = ()
    finish: Literal["length", "content_filter"] | None = None
    """Why it ended before its end: cut, or refused."""
    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    cached_tokens: Annotated[int, Field(ge=0)] = 0
    cache_write_tokens: Annotated[int, Field(ge=0)] = 0
    usd: Decimal | None = None
    """None = as prices have it where it is played."""

    @property
    def usage(self) -> Usage:
        return Usage(self.input_tokens, self.output_tokens, self.cached_tokens, self.usd, self.cache_write_tokens)


class Parked(_Line):
    """The attempt was parked after the last reply."""

    parked: ParkCause


@dataclass(frozen=True, slots=True)
class Talk:
    """One attempt or one review, as it was recorded."""

    path: Path
    about: About
    replies: tuple[Said, ...]
    parked: Parked | None = None


class _Head(_Line):
    """The first line of a file: what it is about."""

    key: str
    agent: str
    attempt: Annotated[int, Field(ge=1)]
    round: Annotated[int, Field(ge=0)] = 0
    asked: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Recording:
    folder: Path

    def find(self, about: About) -> Talk:
        """What was said about the same; of attempts and rounds that were not recorded, the nearest before, else after.

        Raises:
            BrainError: Nothing was recorded, or it was about something else.
        """
        stem = talk_path(about).with_suffix("")
        stem = stem.with_name(stem.name.removesuffix(_number(about)))
        here = (self.folder / stem).parent
        paths = sorted(path for path in here.glob("*.jsonl") if path.name.startswith(f"{stem.name}."))
        found = [
            talk for talk in map(read_talk, paths) if (talk.about.key, talk.about.agent) == (about.key, about.agent)
        ]
        if not found:
            raise BrainError(f"nothing that {about.agent} said on {about.key} is recorded below {self.folder}")
        chosen = nearest(found, about)
        _compare(chosen, about)
        return chosen

    def write(self, talk: Talk) -> Path:
        """Write a talk under the name that its subject has."""
        path = self.folder / talk_path(talk.about)
        path.parent.mkdir(parents=True, exist_ok=True)
        head = _Head.model_validate(talk.about.model_dump())
        lines: Sequence[_Line] = [head, *talk.replies, *([talk.parked] if talk.parked else [])]
        path.write_text("".join(f"{line.model_dump_json(exclude_defaults=True)}\n" for line in lines), "utf-8")
        return path

    def talks(self) -> Iterator[Talk]:
        yield from map(read_talk, sorted(self.folder.rglob("*.jsonl")))


def talk_path(about: About) -> Path:
    """Where a talk stands in its recording.

    Raises:
        BrainError: The key leads out of the folder.
    """
    stem = Path(about.agent, *about.key.removeprefix(f"{about.agent}/").split("/"))
    if ".." in stem.parts or stem.is_absolute():
        raise BrainError(f"the task key {about.key!r} cannot name a file of a recording")
    return stem.with_name(f"{stem.name}{_number(about)}.jsonl")


def _number(about: About) -> str:
    return f".{about.attempt}" + (f".{about.round}" if about.round > FIRST else "")


def nearest(found: Sequence[Talk], about: About) -> Talk:
    """The same attempt and round, else the nearest before it, else the first after it."""
    wanted = (about.attempt, about.round)
    ordered = sorted(found, key=lambda talk: (talk.about.attempt, talk.about.round))
    before = [talk for talk in ordered if (talk.about.attempt, talk.about.round) <= wanted]
    return before[-1] if before else ordered[0]


def _compare(talk: Talk, about: About) -> None:
    """
    Raises:
        BrainError: What was said then is no answer to what is asked now.
    """
    if talk.about.asked != about.asked:
        raise BrainError(f"{talk.path}: {about.key} asked for something else when this was recorded; record it again")
    if talk.about.change != about.change:
        raise BrainError(f"{talk.path}: this was said about another change of {about.key}; record it again")


def read_talk(path: Path) -> Talk:
    """Read one file whole before any of it is played.

    Raises:
        BrainError: It cannot be read; the message names file, line and key.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BrainError(f"{path}: the recording cannot be read: {error}") from error
    numbered = [(f"{path}:{n}", line) for n, line in enumerate(lines, start=1) if line.strip()]
    if not numbered:
        raise BrainError(f"{path}:1: the recording is empty; `callboard record` writes another")
    head = _read(*numbered[0], _Head)
    parked = _read(*numbered[-1], Parked) if numbered[-1][1].startswith('{"parked"') else None
    said = numbered[1:-1] if parked else numbered[1:]
    return Talk(path, About(**head.model_dump()), tuple(_read(*line, Said) for line in said), parked)


AnyLine = TypeVar("AnyLine", bound=_Line)


def _read(place: str, line: str, kind: type[AnyLine]) -> AnyLine:
    try:
        return kind.model_validate(read_object(line))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BrainError(f"{place}: {where}: {first['msg']}; docs/models.md says what a line holds") from error
    except BrainError as error:
        raise BrainError(f"{place}: {error}") from error
