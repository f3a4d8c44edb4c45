"""What `callboard deployments` says beside its table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from callboard.agents.deployment.standing import Share
from callboard.cli.deployment_rows import AUDIT, audit_lines, environment_lines
from callboard.launch.deployment_rows import AuditRow, EnvironmentRow

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_last_things_that_were_done_to_the_lock_are_said_on_a_line_each() -> None:
    audit = tuple(AuditRow("Ada", f"broke the lock of Bob:\n{n}", NOON) for n in range(AUDIT + 2))
    lines = audit_lines(EnvironmentRow("staging", "", "", "", "", audit))
    assert len(lines) == AUDIT
    assert lines[-1].startswith("  2026-11-21 12:00")
    assert lines[-1].endswith(f"Ada: broke the lock of Bob: {AUDIT + 1}")


def test_where_nothing_runs_any_more_is_said_what_served() -> None:
    runs = EnvironmentRow("staging", "r-1", "a" * 40, "noon", "", (), shares=(Share("r-1", "a" * 40, 100, runs=True),))
    assert environment_lines(runs) == [
        f"staging: serves r-1, commit {'a' * 12}, since noon",
        "  r-1 has 100 % of the requests",
    ]
    ended = replace(runs, shares=())
    assert environment_lines(ended) == [
        f"staging: served r-1, commit {'a' * 12}, since noon",
        "  nothing runs there now",
    ]
    unknown = replace(ended, notices=("HAProxy does not run",))
    assert environment_lines(unknown)[0].startswith("staging: serves r-1")
    assert environment_lines(EnvironmentRow("staging", "", "", "", "", ())) == ["staging: serves nothing yet"]
