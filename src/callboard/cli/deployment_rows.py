"""Deployments as `callboard deployments` draws them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from callboard.agents.deployment.standing import said
from callboard.cli.lists import plain_table
from callboard.cli.plain import one_line
from callboard.feedback.facts import time_fact
from callboard.launch.deployment_rows import DeploymentRow, EnvironmentRow, ItemRow

AUDIT = 6
"""Of an environment's audit, on a screen; `--json` has all that are kept."""
_STYLES = {"done": "green", "rolled_back": "bold red"}


def environment_lines(row: EnvironmentRow) -> list[str]:
    """What came to serve there, what runs there now, and what happened meanwhile."""
    serves = f"{row.release}, commit {row.commit[:12]}, since {row.since}" if row.release else "nothing yet"
    is_ended = bool(row.release) and not row.shares and not row.notices
    now = "nothing runs there now" if is_ended else said(row.shares)
    verb = "served" if is_ended else "serves"
    head = one_line(f"{row.environment}: {verb} {serves}" + (f"; {row.lock}" if row.lock else ""))
    return [head, *(f"  {one_line(line)}" for line in (now, *row.notices) if line), *audit_lines(row)]


def audit_lines(row: EnvironmentRow) -> list[str]:
    """The last things that people and deployments did to an environment's lock."""
    return ["  " + one_line(f"{time_fact(one.at)} {one.by}: {one.did}") for one in row.audit[-AUDIT:]]


def item_lines(items: Iterable[ItemRow]) -> list[str]:
    """The production checklist as it was made last, and what of it somebody let pass."""
    return [
        f"  {item.state:<8} "
        + one_line(
            f"{item.item}: {item.fact} ({item.source})"
            + (f"; {item.let_pass_by} let it pass" if item.let_pass_by else "")
        )
        for item in items
    ]


def table(rows: Iterable[DeploymentRow]) -> Table:
    made = plain_table("", "env", "commit", "state", "fixes", "tests", "")
    for row in rows:
        why = row.reason or (f"waits for {row.question}" if row.question else row.step)
        opened = f"; {row.task} opened" if row.state == "rolled_back" and row.task else ""
        after = f" (next: {row.next}{opened})" if row.next else ""
        state = Text(row.state, _STYLES.get(row.state, "cyan"))
        tests = f"{row.tests_passed}/{row.tests}" if row.tests else ""
        made.add_row(row.id, row.environment, row.commit[:7], state, str(row.fixes), tests, one_line(why + after))
    return made
