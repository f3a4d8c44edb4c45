"""The YAML between two `---` lines at the top of a direction file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from callboard.directions.tasks import Report

LONGEST = 500
"""Lines that a front matter may have; more is a text that happens to start with a rule."""
LARGEST = 50_000
"""Characters that it may have: reading YAML is slow."""
_MOST_NODES = 300


@dataclass(frozen=True, slots=True)
class FrontMatter:
    values: dict[str, str]
    """Scalars as written, without quotes; lists and mappings as JSON."""
    lines: dict[str, int]
    """1-based."""
    height: int
    """How many lines of the file it takes, both `---` included; 0 when there is none."""


def read_front_matter(lines: Sequence[str], report: Report) -> FrontMatter:
    """Read it if there is one. What is no YAML is read line by line, and reported."""
    if not lines or lines[0].rstrip() != "---":
        return FrontMatter({}, {}, 0)
    end = next((n for n, line in enumerate(lines[1 : LONGEST + 1], 1) if line.rstrip() in ("---", "...")), None)
    if end is None:
        report(1, "the front matter that starts here is never closed with `---`; understood as no front matter")
        return FrontMatter({}, {}, 0)
    if sum(map(len, lines[1:end])) > LARGEST:
        report(1, f"the front matter is larger than {LARGEST:,} characters; left out")
        return FrontMatter({}, {}, end + 1)
    values: dict[str, str] = {}
    where: dict[str, int] = {}
    for key, value, line in _pairs(lines[1:end], report):
        if key in values:
            report(line, f"{key} is said twice in the front matter; understood as {value!r}")
        values[key], where[key] = value, line
    return FrontMatter(values, where, end + 1)


def _pairs(lines: Sequence[str], report: Report) -> Iterator[tuple[str, str, int]]:
    try:
        yield from list(_compose("\n".join(lines), 2))
    except _NotAMapping as error:
        report(
            error.line,
            f"the front matter is no YAML mapping ({error}); each line that is `key: value` was read by itself",
        )
        for n, line in enumerate(lines, 2):
            yield from _lone_pair(line, n, report)


def _lone_pair(line: str, n: int, report: Report) -> Iterator[tuple[str, str, int]]:
    try:
        yield from list(_compose(line, n))
    except _NotAMapping:
        report(n, f"{line.strip()[:60]!r} in the front matter could not be read; left out")


class _NotAMapping(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _compose(text: str, first: int) -> Iterator[tuple[str, str, int]]:
    try:
        root = yaml.compose(text.replace("\t", "    "), Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line if error.problem_mark else 0
        raise _NotAMapping(error.problem or "unreadable", first + line) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _NotAMapping(str(error).partition("\n")[0][:80] or type(error).__name__, first) from error
    if root is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise _NotAMapping("not `key: value`", first)
    for key, value in root.value:
        line = first + key.start_mark.line
        if not isinstance(key, yaml.ScalarNode):
            raise _NotAMapping("a key is a list or a mapping", line)
        if isinstance(value, yaml.ScalarNode):
            yield str(key.value), "" if value.tag.endswith(":null") else str(value.value), line
        else:
            yield str(key.value), json.dumps(_plain(value, [_MOST_NODES], line), ensure_ascii=False), line


def _plain(node: yaml.Node, left: list[int], line: int) -> object:
    """Texts, lists and mappings of a node.

    Args:
        left: How many more nodes may come: aliases can make a few lines endless.
    """
    left[0] -= 1
    if left[0] < 0:
        raise _NotAMapping("too much in one key", line)
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, left, line) for item in node.value]
    return {str(_plain(key, left, line)): _plain(value, left, line) for key, value in node.value}


def write_front_matter(values: dict[str, str]) -> str:
    """The same values as YAML that reads back to them; "" when there are none."""
    if not values:
        return ""
    return "".join(
        ["---\n", *(f"{yaml_scalar(key)}: {yaml_scalar(value)}\n" for key, value in values.items()), "---\n"]
    )


def yaml_scalar(text: str) -> str:
    """The text as YAML that reads back to it; JSON lists and mappings stay what they are."""
    if text[:1] in ("[", "{"):
        try:
            return json.dumps(json.loads(text), ensure_ascii=False)
        except ValueError:
            pass
    try:
        pairs = list(_compose(f"{text}: {text}", 1)) if "\n" not in text and text == text.strip() else []
    except _NotAMapping:
        pairs = []
    return text if pairs == [(text, text, 1)] else _quoted(text)


def _quoted(text: str) -> str:
    """A JSON string is a YAML one, but for signs that YAML wants escaped."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in plain)
