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

An empty variable counts as unset. DATABASE_URL is read where neither CALLBOARD_LEDGER_URL nor the file says where the ledger is,
and it leads to a Postgres server: other programs use that name too.
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
}
SHARED = "DATABASE_URL"
_NUMBERS = frozenset({"CALLBOARD_PROJECT_SLOTS", "CALLBOARD_PROJECT_GATE_TIMEOUT_S", "CALLBOARD_REVIEW_DEADLINE_S"})
_SWITCHES = frozenset({"CALLBOARD_WEB_WITH_LAUNCH"})


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
    shared, ledger = environ.get(SHARED, ""), merged.get("ledger", {})
    if is_postgres(shared) and isinstance(ledger, dict) and "url" not in ledger:
        merged["ledger"] = {**ledger, "url": shared}
        names["ledger", "url"] = SHARED
    return merged, names


def _value(name: str, text: str) -> object:
    """A number or a truth value where one is expected and given; else the text, which validation then refuses."""
    if name in _SWITCHES:
        return {"true": True, "false": False}.get(text.lower(), text)
    if name not in _NUMBERS:
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
