"""Whether the ledger can be reached, and whether its tables are this program's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from callboard.bus.errors import LedgerError

if TYPE_CHECKING:
    from callboard.app import Workspace


def ledger_finding(workspace: Workspace) -> tuple[Literal["ok", "warn"], str]:
    """No launch needs it, so nothing about it is a failure."""
    from callboard.launch.auditing import look
    from callboard.launch.ledgering import ledger_url

    if not ledger_url(workspace):
        return "ok", 'there is none: [ledger] url is "off"'
    try:
        found = look(workspace)
    except LedgerError as error:
        return "warn", f"{error}; runs go on without it"
    if found.state == "older":
        return "warn", f"{found.url} has schema {found.schema}, older than ours: `callboard ledger upgrade`"
    if found.state == "newer":
        return "warn", f"{found.url} was made by a newer Callboard (schema {found.schema}): install that one"
    behind = sum((held.archived or 0) > held.entries for held in found.runs)
    late = f", {behind} not complete: the next launch writes what is missing" if behind else ""
    return "ok", f"{found.url}: {len(found.runs)} runs{late}"
