"""A causal tree on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from callboard.bus.causes import Traced
from callboard.cli.plain import one_line

DEEPEST = 24
"""Levels that are indented; what is deeper stands below the deepest."""
ID_LETTERS = 13
"""Of a message's id: those of a chain's first message tell its millisecond."""


def draw(found: Sequence[Traced]) -> Table:
    """One line per message: when it was sent since the first, how long until it was handled, what it is."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("sent", "handled"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("message", overflow="fold")
    start = min((each.sent_at for each in found), default=None)
    for each in found:
        sent = f"+{(each.sent_at - start).total_seconds():.3f} s" if start else ""
        table.add_row(sent, _handled(each), _message(each))
    return table


def _handled(traced: Traced) -> Text:
    if traced.dead:
        return Text("dead letter", "bold red")
    if traced.handled_at is None:
        return Text("not yet", "yellow")
    return Text(f"in {(traced.handled_at - traced.sent_at).total_seconds():.3f} s", "dim")


def _message(traced: Traced) -> Text:
    who = f"{one_line(traced.sender)} -> {one_line(traced.recipient)}"
    about = f"  {traced.task}" if traced.task else ""
    attempt = f" attempt {traced.attempt}" if traced.attempt else ""
    return Text.assemble(
        "  " * min(traced.depth, DEEPEST),
        (traced.kind, "bold"),
        f"  {who}{about}{attempt}  ",
        (traced.id[:ID_LETTERS], "dim"),
        (f"  {one_line(traced.dead)}", "red") if traced.dead else "",
    )
