"""What `callboard directions check --json` prints: a shape that others script against."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from callboard.bus.task import TaskSpec
from callboard.directions.check import check_directions
from callboard.directions.document import Direction, Problem


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class RuleReport(_Part):
    title: str
    locks: tuple[str, ...]


class GitReport(_Part):
    branch: str = ""
    prefix: str = ""


class CategoryReport(_Part):
    title: str
    low: int
    high: int
    text: str


class TaskReport(_Part):
    number: int
    key: str
    title: str
    priority: int
    """0 (first) to 5."""
    line: int
    state: Literal["queued", "blocked"]
    standing: bool
    fields: dict[str, str]


class ProblemReport(_Part):
    line: int
    message: str


class FileReport(_Part):
    path: str
    owner: str = ""
    epoch: str = ""
    doc: str = ""
    last_reviewed: date | None = None
    mission: str = ""
    focus: str = ""
    canon: tuple[str, ...] = ()
    rules: tuple[RuleReport, ...] = ()
    git: GitReport = GitReport()
    roadmap: tuple[CategoryReport, ...] = ()
    tasks: tuple[TaskReport, ...] = ()
    problems: tuple[ProblemReport, ...] = ()
    readable: bool = Field(default=True, exclude=True)


class CheckReport(_Part):
    files: tuple[FileReport, ...]

    @property
    def exit_code(self) -> int:
        """1 only when a file could not be read at all: problems are for people, not for scripts to stop at."""
        return 0 if all(file.readable for file in self.files) else 1


class Unreadable(_Part):
    """A file of which nothing could be read."""

    path: str
    reason: str


def make_report(
    files: Sequence[Direction | Unreadable],
    *,
    today: date,
    agents: Collection[str] | None = None,
    others: Sequence[Direction] = (),
    tools: Mapping[str, Collection[str]] | None = None,
) -> CheckReport:
    """Check all files together and report on each, in the order given.

    Args:
        agents: The roster's names; None = unknown.
        others: Directions that are not reported on, but in which a `Depends` may find its task.
        tools: Agent -> its tools and MCP servers; None = unknown.
    """
    read = [file for file in files if isinstance(file, Direction)]
    problems = iter(check_directions(read, today=today, agents=agents, others=others, tools=tools))
    return CheckReport(
        files=tuple(_file(file, next(problems)) if isinstance(file, Direction) else _unreadable(file) for file in files)
    )


def _unreadable(file: Unreadable) -> FileReport:
    return FileReport(path=file.path, problems=(ProblemReport(line=0, message=file.reason),), readable=False)


def _file(direction: Direction, problems: Sequence[Problem]) -> FileReport:
    return FileReport(
        path=direction.path,
        owner=direction.owner,
        epoch=direction.epoch,
        doc=direction.doc,
        last_reviewed=direction.last_reviewed,
        mission=direction.mission,
        focus=direction.focus,
        canon=direction.canon,
        rules=tuple(RuleReport(title=rule.title, locks=rule.locks) for rule in direction.rules),
        git=GitReport(branch=direction.git.branch, prefix=direction.git.prefix),
        roadmap=tuple(
            CategoryReport(title=own.title, low=own.low, high=own.high, text=own.text) for own in direction.roadmap
        ),
        tasks=tuple(map(_task, direction.tasks)),
        problems=tuple(ProblemReport(line=own.line, message=own.message) for own in problems),
    )


def _task(task: TaskSpec) -> TaskReport:
    return TaskReport(
        number=task.number,
        key=task.key,
        title=task.title,
        priority=task.priority,
        line=task.source.line,
        state="blocked" if task.blocked_by else "queued",
        standing=task.standing,
        fields=task.fields,
    )
