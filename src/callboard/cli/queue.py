"""`callboard queue`: what is approved and on its way into the integration branch, and what became of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from callboard.cli.options import Json
from callboard.cli.output import plural, print_json, say, show
from callboard.cli.session import open_workspace, wait_for

if TYPE_CHECKING:
    from rich.console import RenderableType

    from callboard.app import Workspace
    from callboard.launch.queue_rows import BranchRow, LeftRow, Queue, RunRow

SHOWN = 12
"""Rows of each list; `--json` has all that the board remembers."""
_PLACES = {"gate": "at the gate", "stack": "in the stack", "behind": "behind it", "next": "next drain"}
_STYLES = {"green": "green", "red": "bold red", "infrastructure": "yellow", "landed": "green", "evicted": "bold red"}


def queue(json: Json = False) -> None:
    """The merge queue: its order, the stack under test, which gates ran, who left it and why.

    A drain takes all that is approved when it begins. Its branches are stacked and tested together; if that is red, a binary
    search finds the one that is to blame.
    """
    found = wait_for(_read(open_workspace()))
    if json:
        print_json(found)
        return
    say(headline(found))
    for title, part in (("", _branches(found.branches)), ("gates", _runs(found.runs)), ("left", _left(found.left))):
        if part is not None:
            say()
            if title:
                say(title)
            show(part)


async def _read(workspace: Workspace) -> Queue:
    from callboard.bus.clock import utc_now
    from callboard.launch.joining import current_run, open_bus
    from callboard.launch.queue_rows import queue_of

    async with open_bus(workspace, current_run(workspace)) as bus:
        return queue_of(await bus.board(), utc_now(), workspace.policy.ageing)


def headline(found: Queue) -> str:
    """`drain 3: the gate runs on T-1, T-2; 12 verdicts known: 9 green, 3 red, 1 flaky`"""
    if not found.drain and not found.branches and not found.verdicts:
        return "nothing was approved yet, so nothing is on its way in"
    tested = [row.task for row in found.branches if row.place == "gate"]
    doing = {
        "idle": "nothing is on its way in",
        "stacking": "its branches are being stacked",
        "gate": f"the gate runs on {', '.join(tested)}" if tested else "its stack is judged",
        "landing": "a landing is being finished",
        "paused": "waits, as the run is paused (`callboard status` says why)",
    }[found.doing]
    green = sum(one.verdict == "green" for one in found.verdicts)
    flakes = sum(one.flaky for one in found.verdicts)
    known = f"{plural(len(found.verdicts), 'verdict')} known: {green} green, {len(found.verdicts) - green} red"
    return f"drain {found.drain}: {doing}; {known}" + (f", {flakes} flaky" if flakes else "")


def _branches(rows: tuple[BranchRow, ...]) -> RenderableType | None:
    from rich.text import Text

    from callboard.cli.lists import plain_table
    from callboard.cli.plain import one_line
    from callboard.cli.view import ago

    if not rows:
        return None
    made = plain_table("task", "agent", "", "waits", "where", "title")
    for row in rows[:SHOWN]:
        title = Text(one_line(row.title))
        title.append(f"  {one_line(row.why)}" if row.why else "", "dim")
        made.add_row(row.task, one_line(row.agent), f"P{row.priority}", ago(row.age_s), _PLACES[row.place], title)
    if len(rows) > SHOWN:
        made.add_row("", "", "", "", "", Text(f"and {len(rows) - SHOWN} more: --json", "dim"))
    return made


def _runs(rows: tuple[RunRow, ...]) -> RenderableType | None:
    from rich.text import Text

    from callboard.cli.lists import plain_table
    from callboard.cli.plain import one_line

    if not rows:
        return None
    made = plain_table("drain", "verdict", "tree", "stack")
    for row in rows[-SHOWN:]:
        stack = Text(", ".join(row.tasks))
        stack.append("  passed after it had failed" if row.flaky else "", "yellow")
        stack.append(f"  {one_line(row.said)}" if row.said else "", "dim")
        made.add_row(str(row.drain), Text(row.verdict, _STYLES.get(row.verdict, "")), row.tree[:7], stack)
    return made


def _left(rows: tuple[LeftRow, ...]) -> RenderableType | None:
    from rich.text import Text

    from callboard.cli.lists import plain_table
    from callboard.cli.plain import one_line

    if not rows:
        return None
    made = plain_table("drain", "task", "how", "why")
    for row in rows[-SHOWN:]:
        why = f"as {row.why[:12]}" if row.how == "landed" else one_line(row.why)
        made.add_row(str(row.drain), row.task, Text(row.how, _STYLES.get(row.how, "")), Text(why, "dim"))
    return made
