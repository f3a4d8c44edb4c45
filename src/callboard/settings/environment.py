"""Environment variables that stand above callboard.toml.

| variable                       | key                    | value |
|--------------------------------|------------------------|-------|
| CALLBOARD_BUS_URL              | bus.url                | text  |
| CALLBOARD_LOG_LEVEL            | log.level              | text  |
| CALLBOARD_PROJECT_SLOTS        | project.slots          | whole number |
| CALLBOARD_PROJECT_GATE_TIMEOUT_S | project.gate_timeout_s | number |
| CALLBOARD_REVIEW_DEADLINE_S    | review.deadline_s      | number |
| CALLBOARD_SANDBOX_KIND         | sandbox.kind           | text  |

An empty variable counts as unset.
"""

from __future__ import annotations

from collections.abc import Mapping

OVERRIDES: Mapping[str, tuple[str, str]] = {
    "CALLBOARD_BUS_URL": ("bus", "url"),
    "CALLBOARD_LOG_LEVEL": ("log", "level"),
    "CALLBOARD_PROJECT_SLOTS": ("project", "slots"),
    "CALLBOARD_PROJECT_GATE_TIMEOUT_S": ("project", "gate_timeout_s"),
    "CALLBOARD_REVIEW_DEADLINE_S": ("review", "deadline_s"),
    "CALLBOARD_SANDBOX_KIND": ("sandbox", "kind"),
}
_NUMBERS = frozenset({"CALLBOARD_PROJECT_SLOTS", "CALLBOARD_PROJECT_GATE_TIMEOUT_S", "CALLBOARD_REVIEW_DEADLINE_S"})


def overridden(
    data: Mapping[str, object], environ: Mapping[str, str]
) -> tuple[dict[str, object], dict[tuple[str, str], str]]:
    """The document with the overrides in it, and which variable stands at which key."""
    merged = dict(data)
    names: dict[tuple[str, str], str] = {}
    for name, (table, key) in OVERRIDES.items():
        own = merged.get(table, {})
        if not environ.get(name) or not isinstance(own, dict):
            continue
        merged[table] = {**own, key: _value(name, environ[name])}
        names[table, key] = name
    return merged, names


def _value(name: str, text: str) -> object:
    """A number where one is expected and given; else the text, which validation then refuses."""
    if name not in _NUMBERS:
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
