"""Environment variables that stand above callboard.toml.

| variable                       | key                    | value |
|--------------------------------|------------------------|-------|
| CALLBOARD_BUS_URL              | bus.url                | text  |
| CALLBOARD_LOG_LEVEL            | log.level              | text  |
| CALLBOARD_PROJECT_SLOTS        | project.slots          | whole number |
| CALLBOARD_PROJECT_GATE_TIMEOUT_S | project.gate_timeout_s | number |
| CALLBOARD_REVIEW_DEADLINE_S    | review.deadline_s      | number |
| CALLBOARD_SANDBOX_KIND         | sandbox.kind           | text  |
| CALLBOARD_LEDGER_URL           | ledger.url             | text  |
| CALLBOARD_WEB_WITH_LAUNCH      | web.with_launch        | true or false |
| CALLBOARD_CI_PROFILE           | project.gate_profile   | text  |
| CALLBOARD_MAX_ATTEMPTS         | project.gate_tries     | whole number |
| CALLBOARD_BACKOFF_SECONDS      | project.gate_backoff_s | number |

An empty variable counts as unset. Other programs use the names in `SHARED` too: they are read where neither a variable of ours nor
the file says anything, and DATABASE_URL only where it leads to a Postgres server.
"""

from __future__ import annotations

from collections.abc import Mapping

from callboard.ledger.settings import is_postgres

OVERRIDES: Mapping[str, tuple[str, str]] = {
    "CALLBOARD_BUS_URL": ("bus", "url"),
    "CALLBOARD_LOG_LEVEL": ("log", "level"),
    "CALLBOARD_PROJECT_SLOTS": ("project", "slots"),
    "CALLBOARD_PROJECT_GATE_TIMEOUT_S": ("project", "gate_timeout_s"),
    "CALLBOARD_REVIEW_DEADLINE_S": ("review", "deadline_s"),
    "CALLBOARD_SANDBOX_KIND": ("sandbox", "kind"),
    "CALLBOARD_LEDGER_URL": ("ledger", "url"),
    "CALLBOARD_WEB_WITH_LAUNCH": ("web", "with_launch"),
    "CALLBOARD_CI_PROFILE": ("project", "gate_profile"),
    "CALLBOARD_MAX_ATTEMPTS": ("project", "gate_tries"),
    "CALLBOARD_BACKOFF_SECONDS": ("project", "gate_backoff_s"),
}
SHARED: Mapping[str, tuple[str, str]] = {
    "DATABASE_URL": ("ledger", "url"),
    "CI_PROFILE": ("project", "gate_profile"),
    "MAX_ATTEMPTS": ("project", "gate_tries"),
    "BACKOFF_SECONDS": ("project", "gate_backoff_s"),
}
_NUMBERS = frozenset({"slots", "gate_timeout_s", "deadline_s", "gate_tries", "gate_backoff_s"})
_SWITCHES = frozenset({"with_launch"})
"""Keys whose values are numbers, and those that are true or false."""


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
        merged[table] = {**own, key: _value(key, environ[name])}
        names[table, key] = name
    for name, (table, key) in SHARED.items():
        text, own = environ.get(name, ""), merged.get(table, {})
        if not text or not isinstance(own, dict) or key in own or (table == "ledger" and not is_postgres(text)):
            continue
        merged[table] = {**own, key: _value(key, text)}
        names[table, key] = name
    return merged, names


def _value(key: str, text: str) -> object:
    """A number or a truth value where one is expected and given; else the text, which validation then refuses."""
    if key in _SWITCHES:
        return {"true": True, "false": False}.get(text.lower(), text)
    if key not in _NUMBERS:
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
