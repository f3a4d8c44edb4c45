"""Tasks: from what a file says to what an agent is given."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from callboard.bus.categories import category_name
from callboard.bus.task import UNTIERED, OwnCaps, Source, TaskSpec
from callboard.directions import budget, demands, values
from callboard.directions.fields import KNOWN, Entry
from callboard.directions.keys import Index, Name, assign_slugs

Report = Callable[[int, str], None]
"""Takes a 1-based line and what was found there and understood instead."""

FREE_TEXT = "Text"
"""The field that keeps text before the first field of a task that also has a What."""

_PRIORITY_BEHIND = re.compile(r"(?P<title>.+?)\s*[(\[](?P<priority>P[0-5])[)\]]", re.IGNORECASE | re.ASCII)
_OPEN = frozenset(
    {"", "active", "in-progress", "new", "open", "planned", "queued", "ready", "todo", "to-do", "unblocked"}
)


@dataclass(frozen=True, slots=True)
class Written:
    """A task as the file has it: a heading or item, and its fields."""

    number: int
    title: str
    line: int
    """1-based."""
    entries: tuple[Entry, ...]


def build_tasks(written: Sequence[Written], agent: str, file: str, report: Report) -> tuple[TaskSpec, ...]:
    """Make the tasks of one file, in the file's order; what cannot be read is reported and never guessed."""
    written = [_with_priority(task) for task in written]
    fields = [_fields(task, report) for task in written]
    names = [Name(_line(own, "Id").text, task.title) for task, own in zip(written, fields, strict=True)]
    slugs = assign_slugs(names)
    _report_repeats(written, names, slugs, report)
    index = Index.of(agent, names, [task.number for task in written], slugs)
    return tuple(
        _build(task, own, f"{agent}/{key}", order, Source(kind="direction", file=file, line=task.line), index, report)
        for order, (task, own, key) in enumerate(zip(written, fields, slugs, strict=True))
    )


def _with_priority(task: Written) -> Written:
    """`Add a page (P0)` is a title and a Priority, unless the task has that field."""
    found = _PRIORITY_BEHIND.fullmatch(task.title)
    if not found or any(entry.name.casefold() == "priority" for entry in task.entries):
        return task
    return replace(task, title=found["title"], entries=(*task.entries, Entry("Priority", found["priority"], task.line)))


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    line: int


_Fields = dict[str, _Value]


def _fields(task: Written, report: Report) -> _Fields:
    """Field by name as first written; a known field keeps its value under whatever case it was written in."""
    fields: _Fields = {}
    by_name: dict[str, str] = {}
    has_what = any(entry.name.casefold() == "what" for entry in task.entries)
    for entry in task.entries:
        name = entry.name or (FREE_TEXT if has_what else "What")
        if not entry.name:
            report(entry.line, f"no field name stands before this text; understood as {name} of {_short(task.title)}")
        if entry.bare:
            report(entry.line, f"{name} is not bold; understood as the field {name}")
        near = _near_miss(name)
        if near:
            report(entry.line, f"{name} is no field that the program reads; understood as text; did you mean {near}?")
        if entry.inside:
            report(entry.line, f"**{entry.inside}** does not start a line here; understood as text of {name}")
        first = by_name.setdefault(name.casefold(), name)
        if first in fields:
            report(entry.line, f"{name} is said twice in {_short(task.title)}; both were joined")
            fields[first] = _Value(f"{fields[first].text}\n{entry.value}".strip("\n"), fields[first].line)
        else:
            fields[first] = _Value(entry.value, entry.line)
    return fields


def _near_miss(name: str) -> str:
    """The known field that an unknown one looks like: a `Depends on` that nobody reads would start a task too early."""
    spoken = name.strip().capitalize()
    if spoken in KNOWN or spoken == FREE_TEXT:
        return ""
    return next(iter(get_close_matches(spoken, KNOWN, n=1, cutoff=0.75)), "")


def _find(fields: _Fields, name: str) -> _Value:
    return next((value for own, value in fields.items() if own.casefold() == name.casefold()), _Value("", 0))


def _get(fields: _Fields, name: str) -> str:
    return _find(fields, name).text


def _line(fields: _Fields, name: str) -> _Value:
    """The first line of a field whose value is one word or time."""
    value = _find(fields, name)
    return _Value(value.text.partition("\n")[0], value.line)


def _report_repeats(written: Sequence[Written], names: Sequence[Name], slugs: Sequence[str], report: Report) -> None:
    lines: dict[str, int] = {}
    for task, name, key in reversed(list(zip(written, names, slugs, strict=True))):
        if key != name.slug:
            what = "Id" if name.id else "title"
            report(
                task.line,
                f"the {what} {_short(name.id or name.title)} is also that of line {lines[name.slug]}; understood as another task "
                f"with the key {key}; give one of them an Id",
            )
        lines.setdefault(name.slug, task.line)
    by_number: dict[int, int] = {}
    for task in written:
        if by_number.setdefault(task.number, task.line) != task.line:
            report(
                task.line,
                f"Task {task.number} is also on line {by_number[task.number]}; no Depends can mean either by number",
            )


def _build(
    task: Written, fields: _Fields, key: str, order: int, source: Source, index: Index, report: Report
) -> TaskSpec:
    timeline = _line(fields, "Timeline")
    depends, unknown = _depends(_find(fields, "Depends"), index, key, report)
    waiting = _waiting(_find(fields, "Status"), report)
    said = {name: value.text for name, value in fields.items()}
    return TaskSpec(
        key=key,
        number=task.number,
        title=task.title,
        what=_get(fields, "What"),
        use=_get(fields, "Use"),
        evidence=_get(fields, "Evidence"),
        priority=_priority(_line(fields, "Priority"), report),
        order=order,
        estimate_minutes=_estimate(timeline, report),
        standing=values.is_standing(timeline.text),
        until=values.last_day(timeline.text) if values.is_standing(timeline.text) else None,
        serves=_get(fields, "Serves"),
        tier=_tier(_line(fields, "Tier").text),
        category=_category(_line(fields, "Category").text),
        depends_on=depends,
        agent=index.agent,
        paths=_paths(_find(fields, "Paths"), report),
        checks=_checks(fields, report),
        budget=_budget(_find(fields, "Budget"), report),
        blocked_by="; ".join(part for part in (waiting, unknown) if part),
        tools=demands.of_fields(said),
        fields=said,
        source=source,
    )


def _priority(value: _Value, report: Report) -> int:
    default = TaskSpec.model_fields["priority"].default
    found = values.priority(value.text)
    if value.text and found is None:
        report(value.line, f"Priority {_short(value.text)} is not P0 to P5; understood as P{default}")
    return default if found is None else found


def _tier(text: str) -> str:
    """As a slug, for it names tags."""
    return UNTIERED if values.is_none(text) else values.slug(text)


def _category(text: str) -> str:
    return "" if values.is_none(text) else category_name(text)


def _estimate(value: _Value, report: Report) -> tuple[int, int] | None:
    if not value.text:
        return None
    if values.is_standing(value.text):
        if any(sign.isdigit() for sign in value.text) and values.last_day(value.text) is None:
            report(
                value.line,
                f"Timeline {_short(value.text)} names no day as 2025-10-15; understood as standing without an end",
            )
        return None
    found = values.minutes(value.text)
    if found is None:
        report(
            value.line,
            f"Timeline {_short(value.text)} is no time such as `30 min` or `1-2 hours`; understood as no estimate",
        )
    return found


def _waiting(value: _Value, report: Report) -> str:
    if values.waits(value.text):
        return value.text
    if values.slug(value.text) not in _OPEN:
        report(
            value.line,
            f"Status {_short(value.text)} says neither waiting nor blocked; understood as open, since the board knows what is done",
        )
    return ""


def _depends(value: _Value, index: Index, key: str, report: Report) -> tuple[tuple[str, ...], str]:
    """Keys, and why the task is blocked when something named is no task of this file."""
    found = index.read(value.text)
    if key in found.keys:
        report(value.line, "the task depends on itself; understood as no dependency")
    keys = tuple(own for own in found.keys if own != key)
    if not found.unknown:
        return keys, ""
    names = ", ".join(_short(name) for name in found.unknown)
    report(
        value.line,
        f"Depends names {names}, which is no task of this file; understood as blocked until a person says how it goes on",
    )
    return keys, f"it depends on {names}, which its direction file does not have"


def _paths(value: _Value, report: Report) -> tuple[str, ...]:
    found = values.listed(value.text)
    for prose in found.beside:
        report(value.line, f"{_short(prose)} stands outside the backticks of Paths; not read")
    for path in found.found:
        if path.startswith(("/", "~")) or ".." in path.split("/"):
            report(
                value.line,
                f"Paths names {_short(path)}, which is not inside the repository; understood as written, it matches nothing",
            )
        elif any(sign.isspace() for sign in path):
            report(
                value.line,
                f"Paths names {_short(path)}, which has a space; understood as one path; commas separate paths",
            )
    if value.line and not found.found:
        report(value.line, "Paths is empty; understood as the whole product")
    return tuple(values.path_pattern(path) for path in found.found)


def _checks(fields: _Fields, report: Report) -> tuple[str, ...]:
    found: list[str] = []
    for name in ("Checks", "Check", "Test"):
        value = _find(fields, name)
        if values.is_none(value.text):
            continue
        commands = values.commands(value.text, only_code=name != "Checks")
        found += commands.found
        for plain in commands.plain:
            report(value.line, f"Checks has no backticks; understood as the command `{plain[:80]}`")
        for language in commands.skipped:
            report(value.line, f"a code block of {_short(language)} in {name} is no shell; understood as text")
    return tuple(dict.fromkeys(found))


def _budget(value: _Value, report: Report) -> OwnCaps:
    own = OwnCaps()
    for part in budget.parts(value.text):
        found = budget.own_caps(part)
        if found is None:
            report(
                value.line,
                f"Budget {_short(part)} is none of `3 attempts`, `200k tokens`, `$2.50`, `30 min`; understood as nothing",
            )
        else:
            own = own.model_copy(update=found.model_dump(exclude_none=True))
    return own


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= 60 else f"{line[:57]}...")
