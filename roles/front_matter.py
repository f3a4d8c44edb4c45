"""The head of a role file: YAML between two `---` lines, read with the line of every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from callboard.bus.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Field:
    """One key's value and its 1-based line in the file."""

    value: str | tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class RoleFile:
    """A role file taken apart, before anybody has judged what it says."""

    fields: Mapping[str, Field]
    body: str


def read_front_matter(text: str, path: str) -> RoleFile:
    """Take a role file apart. A file without front matter is all body.

    Raises:
        ConfigError: The head does not end, is no YAML mapping, or holds anything but texts and lists of texts.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != "---":
        return RoleFile({}, "\n".join(lines).strip())
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        raise ConfigError("the front matter does not end; close it with a line `---`", path=path, line=1)
    return RoleFile(_fields("\n".join(lines[1:end]), path), "\n".join(lines[end + 1 :]).strip())


def _fields(head: str, path: str) -> dict[str, Field]:
    try:
        root = yaml.compose(head, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 2 if mark else None
        raise ConfigError(f"the front matter is not YAML: {error.problem}", path=path, line=line) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"the front matter is not YAML: {error}", path=path) from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError("the front matter must be `key: value` lines", path=path, line=2)
    fields: dict[str, Field] = {}
    for key_node, value_node in root.value:
        line = key_node.start_mark.line + 2
        key = _scalar(key_node, path, line, "")
        if key in fields:
            raise ConfigError(f"said twice, first on line {fields[key].line}", path=path, line=line, key=key)
        fields[key] = Field(_value(value_node, path, line, key), line)
    return fields


def _value(node: yaml.Node, path: str, line: int, key: str) -> str | tuple[str, ...]:
    if isinstance(node, yaml.SequenceNode):
        return tuple(_scalar(item, path, item.start_mark.line + 2, key) for item in node.value)
    return _scalar(node, path, line, key)


def _scalar(node: yaml.Node, path: str, line: int, key: str) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ConfigError("must be a text or a list of texts", path=path, line=line, key=key or None)
    return str(node.value)
