"""What `callboard deployments` says beside its table."""

from __future__ import annotations

from datetime import UTC, datetime

from callboard.cli.deployment_rows import AUDIT, audit_lines
from callboard.launch.deployment_rows import AuditRow, EnvironmentRow

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_the_last_things_that_were_done_to_the_lock_are_said_on_a_line_each() -> None:
    audit = tuple(AuditRow("Ada", f"broke the lock of Bob:\n{n}", NOON) for n in range(AUDIT + 2))
    lines = audit_lines(EnvironmentRow("staging", "", "", "", "", audit))
    assert len(lines) == AUDIT
    assert lines[-1].startswith("  2026-11-21 12:00")
    assert lines[-1].endswith(f"Ada: broke the lock of Bob: {AUDIT + 1}")
