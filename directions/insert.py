"""Put new tasks into a direction file's text: every line that stands there stays as people wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from callboard.bus.errors import ConfigError
from callboard.bus.task import TaskSpec
from callboard.directions.blocks import Kind, read_blocks, split_lines
from callboard.directions.document import Direction
from callboard.directions.front_matter import read_front_matter
from callboard.directions.outline import Group, Topic, read_outline
from callboard.directions.parse import parse_direction
from callboard.directions.write import attribute_fields, write_fields


@dataclass(frozen=True, slots=True)
class _Place:
    line: int
    """Lines of the file that stand before the new ones."""
    mark: str
    """What each task begins with, `{n}` being its number."""
    is_list: bool = False
    heading: str = ""
    """What stands above the first of them; "" = they join others."""


def insert_tasks(text: str, tasks: Sequence[TaskSpec], *, agent: str, path: str = "") -> str:
    """The file with the tasks behind its last one, in the form in which it has its others.

    Args:
        text: The file; "" for one that is not there yet.
        tasks: Written by their attributes and, where they have some, their `fields` behind those.

    Raises:
        ConfigError: The file would no longer say what it said, or not say these tasks: a person has to add them.
    """
    before = parse_direction(text, agent=agent, path=path)
    lines = split_lines(text)
    place = _place(lines)
    first = max((task.number for task in before.tasks), default=0) + 1
    written = [line for n, task in enumerate(tasks, first) for line in ("", *_lines(place, n, task))]
    head = ["", place.heading] if place.heading else []
    kept, rest = lines[: place.line], lines[place.line :]
    while kept and not kept[-1].strip():
        kept.pop()
    while rest and not rest[0].strip():
        rest.pop(0)
    after = "\n".join([*kept, *head, *written, *(["", *rest] if rest else [""])]).lstrip("\n")
    _compare(before, parse_direction(after, agent=agent, path=path), tasks)
    return after


def _place(lines: Sequence[str]) -> _Place:
    head = read_front_matter(lines, lambda line, message: None)
    body = [""] * head.height + list(lines[head.height :])
    groups = read_outline(read_blocks(body))
    written = [group for group in groups if group.topic is Topic.TASK]
    if written:
        last = written[-1]
        return _Place(_end(last), f"{'#' * last.level} Task {{n}} - ")
    listed = [
        block
        for group in groups
        if group.topic is Topic.TASKS
        for block in group.blocks
        if block.kind is Kind.LIST and block.numbered
    ]
    if listed:
        return _Place(listed[-1].end, "{n}. ", is_list=True)
    empty = next((group for group in groups if group.topic is Topic.TASKS), None)
    if empty is not None:
        return _Place(_end(empty), "### Task {n} - ")
    return _Place(len(lines), "### Task {n} - ", heading="## Active tasks")


def _end(group: Group) -> int:
    """The line behind what belongs to a heading; a rule ends a task."""
    own = [group.line]
    for block in group.blocks:
        if block.kind is Kind.RULE:
            break
        own.append(block.end)
    return max(own)


def _lines(place: _Place, number: int, task: TaskSpec) -> Iterator[str]:
    mark = place.mark.format(n=number)
    width = len(mark) if place.is_list else 0
    yield f"{mark}{task.title}"
    if not place.is_list:
        yield ""
    said = write_fields(attribute_fields(task) | task.fields)
    yield from (f"{' ' * width}{line}".rstrip() for line in said.split("\n"))


def _compare(before: Direction, after: Direction, tasks: Sequence[TaskSpec]) -> None:
    count = len(before.tasks)
    kept = [_plain(task) for task in after.tasks[:count]] == [_plain(task) for task in before.tasks]
    unmoved = replace(before, tasks=(), problems=(), version="") == replace(after, tasks=(), problems=(), version="")
    if not kept or not unmoved:
        raise ConfigError(
            "new tasks at its end would change what the file says; put a plain heading such as `## Active tasks` at its "
            "end, or add them by hand",
            path=before.path or None,
        )
    for wanted, got in zip(tasks, after.tasks[count:], strict=False):
        if _asked(wanted) != _asked(got):
            raise ConfigError(
                f"what {wanted.title!r} says cannot be written as Markdown that reads back the same; use plainer text",
                path=before.path or None,
            )
    if len(after.tasks) != count + len(tasks):
        raise ConfigError(
            f"would have {len(after.tasks)} tasks instead of {count + len(tasks)}; add them by hand",
            path=before.path or None,
        )


def _plain(task: TaskSpec) -> TaskSpec:
    return task.model_copy(update={"source": None})


def _asked(task: TaskSpec) -> TaskSpec:
    return task.model_copy(update={"source": None, "number": 0, "order": 0, "fields": {}, "tools": ()})
