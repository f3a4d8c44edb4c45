"""A role file -> Role, and who may send which kind of message.

A workspace's `roles/<role>.md` may replace the prompt of a shipped role and take away kinds it may send; it can never
add one. The roles of people and of the program's own parts are fixed here and have no file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from callboard.bus.errors import ConfigError
from callboard.bus.messages import KINDS
from callboard.roles.front_matter import Field, RoleFile, read_front_matter

SHIPPED = ("manager", "driver", "reviewer", "deployment")
"""The roles an agent can have."""


@dataclass(frozen=True, slots=True)
class Role:
    """What an agent is for and what it may say."""

    name: str
    sends: frozenset[str]
    """The kinds of message it may send; everything else is refused by the receiver."""
    prompt: str = ""
    """What its brain is told first; advice only, authority is in `sends`."""


_HANDS = Role(
    "hands",
    frozenset(
        {
            "gate.finished",
            "merge.prepared",
            "land.finished",
            "promotion.finished",
            "canon.read",
            "message.refused",
        }
    ),
)
_RUNTIME = Role("runtime", frozenset({"roster.changed", "agent.unreachable", "disk.changed", "message.refused"}))

_PERSON = frozenset(
    {"command.given", "deployment.commanded", "issue.reported", "issue.closed", "run.opened", "phase.moved"}
)
OUTSIDE: Mapping[str, Role] = {
    "builder": Role("driver", frozenset({"work.submitted", "audit.requested", "issue.seen", "message.refused"})),
    "auditor": Role("reviewer", frozenset({"audit.given", "issue.seen", "message.refused"})),
}
"""Seat -> what an agent may say that sits in it from outside, in a run that was started so: less than one of the roster."""

FIXED: Mapping[str, Role] = {
    "gate": _HANDS,
    "land": _HANDS,
    "person": Role("person", _PERSON),
    "launcher": _RUNTIME,
}
"""Sender -> its role, for the senders that are no agents. No agent can have one of these names."""

_KNOWN_KINDS = frozenset(kind for kind, _ in KINDS)
_KEYS = ("name", "sends")


class Capabilities:
    """Who may send what, for one roster. Unknown senders may send nothing."""

    def __init__(self, role_of: Mapping[str, Role]) -> None:
        """Args:
            role_of: Every agent's role, the manager's too.

        Raises:
            ConfigError: An agent has the name of a part of the program.
        """
        for agent in role_of:
            if agent in FIXED or agent == "journal":
                raise ConfigError(f"agent name {agent!r} is taken by a part of the program; choose another")
        self._roles = {**FIXED, **role_of}

    def may_send(self, sender: str, kind: str) -> bool:
        role = self._roles.get(sender)
        return role is not None and kind in role.sends


def load_role(name: str, override_dir: Path | None = None) -> Role:
    """A shipped role, as this workspace has it.

    Args:
        name: `manager`, `driver`, `reviewer` or `deployment`.
        override_dir: The workspace's folder of role files; it, or the file in it, may be absent.

    Raises:
        ConfigError: No such role, or the workspace's file is wrong or gives the role more than it ships with.
    """
    if name not in SHIPPED:
        raise ConfigError(f"there is no role {name!r}{_nearest(name, SHIPPED)}; roles are {', '.join(SHIPPED)}")
    shipped = _shipped(name)
    path = override_dir / f"{name}.md" if override_dir else None
    if path is None or not path.is_file():
        return shipped
    return _narrowed(shipped, _read(path), str(path))


def load_roles(roster: Mapping[str, str], override_dir: Path | None = None) -> dict[str, Role]:
    """Agent -> role for a roster given as agent -> role name.

    Raises:
        ConfigError: As `load_role`.
    """
    loaded = {name: load_role(name, override_dir) for name in set(roster.values())}
    return {agent: loaded[name] for agent, name in roster.items()}


def _shipped(name: str) -> Role:
    path = f"roles/library/{name}.md"
    text = resources.files("callboard.roles").joinpath("library", f"{name}.md").read_text("utf-8")
    file = read_front_matter(text, path)
    sends = file.fields["sends"]
    return Role(name, frozenset(_kinds(sends, path)), file.body)


def _read(path: Path) -> RoleFile:
    try:
        return read_front_matter(path.read_text("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise ConfigError("a role file must be UTF-8 text", path=str(path)) from error
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=str(path)) from error


def _narrowed(shipped: Role, file: RoleFile, path: str) -> Role:
    for key, field in file.fields.items():
        if key not in _KEYS:
            raise ConfigError(f"unknown key{_nearest(key, _KEYS)}", path=path, line=field.line, key=key)
    named = file.fields.get("name")
    if named and named.value != shipped.name:
        raise ConfigError(f"must be {shipped.name!r}, as the file is called", path=path, line=named.line, key="name")
    prompt = file.body or shipped.prompt
    sends = file.fields.get("sends")
    if sends is None:
        return replace(shipped, prompt=prompt)
    kinds = frozenset(_kinds(sends, path))
    if kinds - shipped.sends:
        raise ConfigError(
            f"{', '.join(sorted(kinds - shipped.sends))}: a {shipped.name} may not send this; "
            "a role file can take kinds away, never add them",
            path=path,
            line=sends.line,
            key="sends",
        )
    return Role(shipped.name, kinds, prompt)


def _kinds(field: Field, path: str) -> tuple[str, ...]:
    if isinstance(field.value, str):
        raise ConfigError("must be a list of message kinds", path=path, line=field.line, key="sends")
    for kind in field.value:
        if kind not in _KNOWN_KINDS:
            problem = f"unknown message kind {kind!r}{_nearest(kind, _KNOWN_KINDS)}"
            raise ConfigError(problem, path=path, line=field.line, key="sends")
    return field.value


def _nearest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
