"""The table of issues."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from callboard.cli.lists import plain_table
from callboard.cli.plain import one_line
from callboard.launch.issue_rows import IssueRow


def issues_table(rows: Sequence[IssueRow]) -> Table:
    table = plain_table("counts as", "seen", "age", "tasks", "issue", "what")
    for row in rows:
        style = "dim" if row.state == "closed" else "red" if row.severity == "major" else "yellow"
        age = f"{row.age_runs} runs, {row.age_tiers} tiers" if row.age_runs or row.age_tiers else "new"
        tasks = ", ".join(dict.fromkeys(one.task for one in row.sightings if one.task))
        what = Text(one_line(row.title))
        if row.state == "closed":
            what.append(f"  closed: {one_line(row.closed_because)}", "dim")
        elif row.clean_up:
            what.append(f"  {row.clean_up} cleans it up", "green")
        table.add_row(Text(row.severity, style), str(row.count), age, tasks, Text(row.key, "bold"), what)
    return table
