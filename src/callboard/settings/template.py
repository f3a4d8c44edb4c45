"""The callboard.toml that `init` writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from callboard.agents.workspace.sandbox_settings import registries
from callboard.settings.settings import PathSettings

_HEAD = "# Callboard: who works on this repository, and under which rules. Unknown keys are errors.\n"
_ROSTER_HEAD = """
# The roster. A driver's or reviewer's `command` is any program: it gets the task, or the review request, as JSON on
# stdin and works in the current folder; a reviewer prints its verdict. Fill in each `command` before a launch, or
# replace it with a `model` or a `cli` (docs/clis.md).
"""
_FILLED_ROSTER_HEAD = """
# The roster. Drivers and reviewers think with a `model` of a table above, with an agent CLI that is installed here
# (`cli`, with the variables of yours that it may see in `pass_env`), or with any program (`command`).
"""
DEFAULT_ROSTER = (
    ("manager", "manager", ""),
    ("driver-1", "driver", ""),
    ("driver-2", "driver", ""),
    ("senior", "reviewer", "senior"),
    ("junior-1", "reviewer", "junior-1"),
    ("junior-2", "reviewer", "junior-2"),
)
_COMMENTS_AT = 36


@dataclass(frozen=True, slots=True)
class Brains:
    """What the agents of the default roster think with."""

    agents: Mapping[str, str] = field(default_factory=dict)
    """Name in the default roster -> lines of its table; who is not here gets an empty `command`."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Name -> lines of its [models.NAME] table."""
    shares_family: bool = False
    """Two reviewers think with one model family."""


def default_toml(
    *,
    target: str = "main",
    integration: str = "callboard/{run}",
    setup: Sequence[str] = (),
    setup_inputs: Sequence[str] = (),
    gate: Sequence[str] = (),
    paths: PathSettings | None = None,
    names: Mapping[str, str] | None = None,
    brains: Brains | None = None,
) -> str:
    """A file that loads and holds the whole default roster; commands are empty and to be filled in.

    Args:
        brains: What its agents think with; None = all get a command.
        names: Other names for agents of the default roster, such as where a branch is in the way of one.
    """
    folders, given = paths or PathSettings(), brains or Brains()
    return "".join(
        [
            _HEAD,
            *_project(target, integration, setup, setup_inputs, gate),
            *_table(
                "bus",
                ("url", _text("embedded"), "or redis://, rediss://, unix:// of a server you run"),
                comment="of your own server: ca, wait_replicas; inbox_limit: docs/bus.md",
            ),
            *_table(
                "paths",
                ("directions", _text(folders.directions), "<agent>.md: what people want done"),
                ("feedback", _text(folders.feedback), "<agent>.md: what each agent did, written by the program alone"),
                ("roles", _text(folders.roles), "<role>.md: optional, narrows a shipped role"),
            ),
            *_bounds(setup),
            *_table("review", *_review(given)),
            '\n# [telemetry] otlp_endpoint sends traces to a collector, [log] format = "json": docs/telemetry.md\n',
            "\n# [deploy] and an agent of role deployment bring what has landed to a running service: docs/deployment.md\n",
            *_table(
                "notify", ("urls", "[]", 'who is told of questions and ends: ["env:NOTIFY_URL"], docs/notifications.md')
            ),
            *(f"\n[models.{name}]\n{lines}" for name, lines in given.models.items()),
            _FILLED_ROSTER_HEAD if given.agents else _ROSTER_HEAD,
            *(
                line
                for name, role, seat in DEFAULT_ROSTER
                for line in _agent((names or {}).get(name, name), role, seat, given.agents.get(name, 'command = ""\n'))
            ),
        ]
    )


def _project(
    target: str, integration: str, setup: Sequence[str], setup_inputs: Sequence[str], gate: Sequence[str]
) -> Iterable[str]:
    yield from _table(
        "project",
        ("target", _text(target), "the branch that `callboard promote` moves"),
        ("integration", _text(integration), "the branch that landings move"),
        ("setup", array(setup), 'commands that make a checkout ready, such as ["uv sync"]'),
        ("setup_inputs", array(setup_inputs), "files; when one has changed, setup runs again"),
        ("gate", array(gate), "must exit 0 on every tree that lands; a launch needs one"),
        ("gate_strict", "[]", "run besides for tasks of a high-risk Category (docs/issues.md)"),
        ("copy", "[]", 'ignored files of yours that clones need, such as [".env.test"]'),
        ("ports", "10", "for each agent and gate slot, from $CALLBOARD_PORT on"),
        ("gate_timeout_s", "1800", "for each command of setup and gate"),
        ("pass_env", "[]", 'variables of yours that brains and gates see, such as ["MY_*"]'),
    )
    yield from _table("project.env", comment="more variables for them; {port}, {db}, {agent}, {index} are filled in")


def _bounds(setup: Sequence[str]) -> Iterable[str]:
    yield from _table(
        "budget",
        ("tokens", "5_000_000", "of the whole run; at 80 % you are told, at the cap you are asked"),
        ("usd", "25.0", "calls of unknown price are held to `tokens` alone"),
        ("minutes", "120", "in which something was worked on"),
        comment="[budget.tier], [budget.task] and [budget.agent] cap each of those: docs/budgets.md",
    )
    yield from _table(
        "sandbox",
        ("kind", _text("auto"), 'what holds brains and gates; "off" only where you run the code yourself'),
        ("connect", "[]", 'host:port that they may reach; ["*"] = the whole network'),
        ("setup_connect", array(registries(setup)), "host:port that setup may reach besides"),
    )


def _table(name: str, *rows: tuple[str, str, str], comment: str = "") -> Iterable[str]:
    yield f"\n{_commented(f'[{name}]', comment)}\n"
    for key, value, about in rows:
        yield f"{_commented(f'{key} = {value}', about)}\n"


def _commented(text: str, comment: str) -> str:
    return f"{text:<{_COMMENTS_AT}}# {comment}" if comment else text


def _review(brains: Brains) -> Iterable[tuple[str, str, str]]:
    yield "deadline_s", "900", "a verdict that is late is an abstention"
    if brains.shares_family:
        yield "allow_same_family", "true", "fewer than three model families were found; three see more than one"


def _agent(name: str, role: str, seat: str, brain: str) -> Iterable[str]:
    yield f'\n[[agents]]\nname = "{name}"\nrole = "{role}"\n'
    if seat:
        yield f'seat = "{seat}"\n'
    if role != "manager":
        yield brain


def _text(text: str) -> str:
    """A TOML basic string is a JSON string, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def array(texts: Sequence[str]) -> str:
    """A TOML array of strings."""
    return f"[{', '.join(map(_text, texts))}]"
