"""Write a direction as a file that reads back as the same direction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields

from callboard.bus.errors import ConfigError
from callboard.bus.task import Source, TaskSpec
from callboard.directions import budget
from callboard.directions.blocks import Kind, read_blocks
from callboard.directions.document import Category, Direction, GitWorkflow, Rule
from callboard.directions.fields import read_entries
from callboard.directions.front_matter import write_front_matter
from callboard.directions.parse import parse_direction
from callboard.directions.values import slug


def write_direction(direction: Direction) -> str:
    """The Markdown of a direction: what `parse_direction` makes of it says the same.

    A task is written from its `fields` when it has any, else from its attributes.

    Raises:
        ConfigError: A text in it cannot be written so that it reads back, such as a title of two lines.
    """
    text = _text(direction)
    _compare(direction, parse_direction(text, agent=direction.agent, path=direction.path))
    return text


def _text(direction: Direction) -> str:
    head = {
        "epoch": direction.epoch,
        "doc": direction.doc,
        "owner": direction.owner,
        "last_reviewed": direction.last_reviewed.isoformat() if direction.last_reviewed else "",
    }
    front = {key: value for key, value in head.items() if value} | dict(direction.front_matter)
    return "\n\n".join(part for part in (write_front_matter(front).rstrip(), *_parts(direction)) if part) + "\n"


def _parts(direction: Direction) -> Iterator[str]:
    yield f"# {direction.title or direction.agent}"
    yield direction.intro
    if direction.rules:
        yield "## Non-negotiables"
        for number, rule in enumerate(direction.rules, 1):
            yield from _rule(number, rule)
    if direction.canon:
        yield "## Canon"
        yield "\n".join(f"- {indented(text, 2)}" for text in direction.canon)
    for title, text in (("Mission", direction.mission), ("Current focus", direction.focus)):
        if text:
            yield f"## {title}"
            yield text
    if direction.tasks:
        yield "## Active tasks"
        for n, task in enumerate(direction.tasks, 1):
            yield f"### Task {task.number or n} - {task.title}"
            yield write_fields(task.fields or attribute_fields(task))
    yield from _git(direction.git)
    if direction.roadmap:
        yield "## Roadmap"
        yield "\n".join(f"{n}. {_category(category)}" for n, category in enumerate(direction.roadmap, 1))
    for section in direction.sections:
        yield f"## {section.title}".rstrip()
        yield section.text


def indented(text: str, width: int) -> str:
    """Every line but the first moved to the right."""
    return text.replace("\n", "\n" + " " * width)


def _rule(number: int, rule: Rule) -> Iterator[str]:
    yield f"### {number}. {rule.title}" if rule.title else "###"
    yield rule.text
    yield "\n".join(f"**Memory Lock**: {_quoted(lock)}" for lock in rule.locks)


def _quoted(lock: str) -> str:
    return lock if '"' in lock else f'"{lock}"'


def _category(category: Category) -> str:
    text = f" - {indented(category.text, 3)}" if category.text else ""
    return f"**{category.title}** ({category.low}-{category.high} tasks){text}"


def _git(git: GitWorkflow) -> Iterator[str]:
    if git == GitWorkflow():
        return
    yield "## Git workflow"
    said = (("Branch", git.branch), ("Prefix", git.prefix))
    yield "\n".join(f"**{name}**: `{value}`" for name, value in said if value)
    yield git.text


def write_fields(fields: Mapping[str, str]) -> str:
    """Plain fields where they read back as they are, else one list item each, which holds any text together."""
    said = list(fields.items())
    plain = "\n".join(f"**{name}**:{_value(value)}" for name, value in said)
    listed = "\n\n".join(f"- **{name}**:{indented(_value(value), 2)}" for name, value in said)
    return plain if _reads_back(plain, said) else listed


def _value(value: str) -> str:
    """On the same line, unless it starts with more than a line of text."""
    first = read_blocks(value.split("\n"))[:1]
    if not first:
        return ""
    return f" {value}" if first[0].kind is Kind.PARAGRAPH else f"\n{value}"


def _reads_back(text: str, wanted: Sequence[tuple[str, str]]) -> bool:
    lines = text.split("\n")
    blocks = read_blocks(lines)
    if any(block.kind in (Kind.HEADING, Kind.RULE) or not block.closed for block in blocks):
        return False
    return [(entry.name, entry.value) for entry in read_entries(lines, blocks)] == list(wanted)


def attribute_fields(task: TaskSpec) -> dict[str, str]:
    """The fields that say what the attributes say; nothing for an attribute that has its default, but for the priority."""
    plain = TaskSpec(key=task.key, title=task.title, agent=task.agent)
    own_slug = task.key.partition("/")[2]
    said = {
        "Id": "" if own_slug == slug(task.title) else own_slug,
        "What": task.what,
        "Use": task.use,
        "Evidence": task.evidence,
        "Serves": task.serves,
        "Priority": f"P{task.priority}",
        "Tier": "" if task.tier == plain.tier else task.tier,
        "Category": task.category,
        "Depends": ", ".join(f"`{key.removeprefix(f'{task.agent}/')}`" for key in task.depends_on),
        "Paths": ", ".join(f"`{path}`" for path in task.paths),
        "Checks": _checks(task.checks),
        "Timeline": _timeline(task),
        "Budget": budget.written(task.budget),
        "Status": task.blocked_by,
    }
    return {name: value for name, value in said.items() if value}


def _checks(checks: Sequence[str]) -> str:
    if any("`" in command for command in checks):
        return "\n".join(["```sh", *checks, "```"])
    return "\n".join(f"- `{command}`" for command in checks)


def _timeline(task: TaskSpec) -> str:
    if task.standing:
        return f"On-call until {task.until.isoformat()}" if task.until else "On-call"
    if not task.estimate_minutes:
        return ""
    is_hours = not any(minutes % 60 for minutes in task.estimate_minutes)
    low, high = (minutes // 60 if is_hours else minutes for minutes in task.estimate_minutes)
    unit = "min" if not is_hours else "hour" if high == 1 else "hours"
    return f"{low} {unit}" if low == high else f"{low}-{high} {unit}"


_PLACE = frozenset({"path", "version", "title", "tasks", "problems", "lines"})
"""What a text does not say, or says in its own way."""


def _compare(wanted: Direction, got: Direction) -> None:
    if (wanted.title or wanted.agent) != got.title:
        raise _unwritable(wanted, "title", wanted.title)
    if len(wanted.tasks) != len(got.tasks):
        raise _unwritable(wanted, "tasks", wanted.title)
    for n, (before, after) in enumerate(zip(wanted.tasks, got.tasks, strict=True)):
        if _spoken(before, before) != _spoken(after, before):
            raise _unwritable(wanted, f"tasks.{n}", before.title)
    for name in (field.name for field in fields(Direction) if field.name not in _PLACE):
        if getattr(wanted, name) != getattr(got, name):
            raise _unwritable(wanted, name, wanted.title)


def _spoken(task: TaskSpec, like: TaskSpec) -> TaskSpec:
    """The task without what its place in the file decides, and without fields that `like` never had."""
    said = task.fields if like.fields else {}
    return task.model_copy(
        update={
            "number": task.number if like.number else 0,
            "order": 0,
            "fields": said,
            "source": Source(kind="direction"),
        }
    )


def _unwritable(direction: Direction, key: str, title: str) -> ConfigError:
    return ConfigError(
        f"what {title!r} says cannot be written as Markdown that reads back the same; use plainer text",
        path=direction.path or None,
        key=key,
    )
