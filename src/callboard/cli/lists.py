"""The smaller tables: questions, runs, dead letters, kept work."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from callboard.bus.dead_letters import DeadLetter
from callboard.bus.states import NOTICE
from callboard.cli.plain import one_line, stated
from callboard.cli.recover import KeptWork
from callboard.cli.view import RUN_STYLES, counts
from callboard.launch.cost_rows import CostRow
from callboard.launch.summary import QuestionRow, RunRow

LEAST_LAST = 16
"""Columns that the last one, which holds the words, has on the narrowest terminal."""


def questions_table(rows: Sequence[QuestionRow]) -> Table:
    table = plain_table("ask", "task", "agent", "question")
    for row in rows:
        text = Text(one_line(row.text))
        if row.options:
            text.append(f"  [{' | '.join(map(one_line, row.options))}]", "cyan")
        if row.state == "answered":
            text.append(f"  answered{_by(row)}: {one_line(row.answer)}", "green")
        elif row.state == "closed":
            text.append(f"  closed: {one_line(row.closed_for) or 'its task has ended'}", "dim")
        elif aside := waits(row):
            text.append(f"  {aside}", "bold yellow" if row.overdue else "dim")
        table.add_row(Text(row.id, "yellow" if row.state == "open" else "dim"), row.task, one_line(row.agent), text)
    return table


def _by(row: QuestionRow) -> str:
    return (
        " by nobody, so by its default"
        if row.is_default
        else f" by {one_line(row.answered_by)}"
        if row.answered_by
        else ""
    )


def waits(row: QuestionRow) -> str:
    """What becomes of an open question by itself, and who may answer it; "" when there is nothing to be said."""
    by = f"{row.deadline:%m-%d %H:%MZ}" if row.deadline else ""
    parts = [
        f"overdue since {by}" if row.overdue else "",
        f"takes {one_line(row.default)!r} at {by}" if row.default and not row.overdue else "",
        f"for {', '.join(map(one_line, row.may_answer))}" if row.may_answer else "",
    ]
    return ", ".join(filter(None, parts))


def runs_table(rows: Sequence[RunRow]) -> Table:
    table = plain_table("run", "state", "head", "tasks")
    for row in rows:
        state = Text(stated(row.state, row.reason), RUN_STYLES.get(row.state, ""))
        if row.promoted and row.promoted == row.head:
            state.append(", promoted", "green")
        table.add_row(Text(one_line(row.id), "bold"), state, row.head[:7], counts(row.task_counts))
    return table


def costs_table(rows: Sequence[CostRow]) -> Table:
    """On a narrow terminal names fold, and nothing else; `open` is there only where something is."""
    has_open = any(row.open_calls for row in rows)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    headings = ("scope", "name", "calls", "in", "cached", "out", "usd", *(("open",) if has_open else ()), "of its cap")
    for heading in headings:
        table.add_column(heading, no_wrap=heading != "name", overflow="fold")
    for row in rows:
        numbers = (row.calls, row.input_tokens, row.cached_tokens, row.output_tokens)
        open_ = f"{row.open_calls}: {row.held_tokens:,} tokens" if row.open_calls else ""
        table.add_row(
            row.scope,
            Text(one_line(row.name), "bold"),
            *(f"{number:,}" for number in numbers),
            usd(row),
            *((open_,) if has_open else ()),
            _caps(row),
        )
    return table


def usd(row: CostRow) -> Text:
    """`1.20`, `unknown`, or `1.20 + unknown`."""
    text = Text(f"{row.known_usd:.2f}" if row.known_usd or not row.unpriced_calls else "")
    if row.unpriced_calls:
        text.append(" + unknown" if row.known_usd else "unknown", "yellow")
    return text


def _caps(row: CostRow) -> Text:
    """The fullest, and every other that a person is told of: all of them would not fit beside the rest on a terminal."""
    fullest = max(row.caps, key=lambda cap: cap.used / cap.cap, default=None)
    said = Text()
    for cap in (cap for cap in row.caps if cap is fullest or cap.percent >= NOTICE):
        style = "bold red" if cap.percent >= 100 else "yellow" if cap.percent >= NOTICE else "dim"
        said.append(", " if said else "").append(f"{cap.percent} % {cap.what}", style)
    return said


def dead_letters_table(letters: Sequence[DeadLetter]) -> Table:
    table = plain_table("id", "buried", "inbox", "kind", "why")
    for letter in letters:
        kind = letter.envelope.kind if letter.envelope else "unreadable"
        why = Text(one_line(letter.reason))
        if letter.error:
            why.append(f"  {one_line(letter.error)[:200]}", "dim")
        table.add_row(letter.id, f"{letter.at:%m-%d %H:%M:%SZ}", one_line(letter.inbox), kind, why)
    return table


def kept_table(rows: Sequence[KeptWork]) -> Table:
    table = plain_table("work", "kept", "by", "commit", "what")
    for row in rows:
        what = Text(one_line(row.subject))
        if row.on_branch:
            what.append("  on a branch", "green")
        table.add_row(Text(row.name, "bold"), f"{row.at:%m-%d %H:%MZ}", one_line(row.agent), row.commit[:7], what)
    return table


def plain_table(*headings: str) -> Table:
    """Without lines; the last column folds."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        last = heading is headings[-1]
        table.add_column(heading, no_wrap=not last, min_width=LEAST_LAST if last else None, overflow="fold")
    return table
