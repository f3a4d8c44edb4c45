"""A status as tables: for `callboard status`, and for the live view of `callboard launch`.

Given a height, nothing wraps and the lines never exceed it: agents that wait share a line, and long lists end in how
many more there are. Without one, everything is shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from callboard.bus.states import WORKERS, TaskState
from callboard.cli.plain import one_line, stated
from callboard.cli.spend_text import short_spend, spend_text
from callboard.launch.summary import AgentRow, MergeRow, QuestionRow, RunRow, Status, TaskRow

STATES: dict[str, tuple[str, str]] = {
    TaskState.QUEUED: ("queued", "dim"),
    TaskState.ASSIGNED: ("assigned", "cyan"),
    TaskState.WORKING: ("working", "cyan"),
    TaskState.BLOCKED: ("blocked", "yellow"),
    TaskState.GATE: ("gate", "blue"),
    TaskState.REVIEW: ("review", "magenta"),
    TaskState.APPROVED: ("approved", "green"),
    TaskState.MERGING: ("merging", "green"),
    TaskState.CHANGES_REQUESTED: ("sent back", "yellow"),
    TaskState.DONE: ("done", "green"),
    TaskState.FAILED: ("failed", "bold red"),
    TaskState.CANCELLED: ("cancelled", "dim"),
    TaskState.SKIPPED: ("skipped", "dim"),
}
"""How a state is called in a table, and its style."""

R = TypeVar("R")
_AGENT_STYLES = {"working": "cyan", "down": "bold red", "idle": "", "absent": "dim"}
RUN_STYLES = {"running": "bold cyan", "succeeded": "bold green", "failed": "bold red", "paused": "bold yellow"}
_URGENCY = (
    (TaskState.WORKING, TaskState.ASSIGNED),
    (TaskState.MERGING, TaskState.APPROVED, TaskState.REVIEW, TaskState.GATE),
    (TaskState.CHANGES_REQUESTED, TaskState.BLOCKED, TaskState.FAILED),
    (TaskState.QUEUED,),
    (TaskState.DONE,),
    (TaskState.CANCELLED, TaskState.SKIPPED),
)
_RANK = {state: rank for rank, states in enumerate(_URGENCY) for state in states}


@dataclass(frozen=True, slots=True)
class Caps:
    """How many rows each list may have."""

    agents: int
    tasks: int
    needs: int
    merges: int


def render(
    status: Status, *, height: int | None = None, rows: int | None = None, now: datetime | None = None
) -> RenderableType:
    """The whole status.

    Args:
        height: Lines it may take, at least 12; None = as many as there are.
        rows: Rows the longer lists may have, where no height is given; None = all.
        now: For how long ago an agent last moved; None = it is not said.
    """
    if status.run is None:
        return Text("no run yet")
    tight = height is not None
    agents, waiting = _agent_lists(status.agents, tight)
    landed = [merge for merge in status.merges if merge.state == "landed"]
    lengths = len(status.tasks), len(status.questions), len(landed)
    caps = (
        Caps(len(agents), *(length if rows is None else min(length, rows) for length in lengths))
        if height is None
        else fit(len(agents) + bool(waiting), *lengths, height)
    )
    sections = [
        _agents(agents, waiting, caps.agents, now, tight),
        _tasks(sorted(status.tasks, key=_task_rank), caps.tasks, tight),
        _needs(status.questions, caps.needs, tight),
        _merges(landed, caps.merges, tight),
    ]
    has_spent = bool(status.spend.tokens)
    progress = _progress(status.run, short_spend(status.spend) if tight and has_spent else None)
    parts: list[RenderableType] = [_title(status.run), progress]
    if has_spent and not tight:
        parts.append(spend_text(status.spend))
    for section in sections:
        parts += [Text(""), *section] if section else []
    return Group(*parts)


def fit(agents: int, tasks: int, needs: int, merges: int, height: int) -> Caps:
    """Share out the lines: two for the title, one heading and one empty line for each list that is not empty."""
    wanted = {"agents": min(agents, 8), "needs": min(needs, 3), "merges": min(merges, 3)}
    least = {"agents": 2, "needs": 1, "merges": 0}
    tasks_wanted = min(tasks, 4)
    while _lines(wanted, tasks_wanted) > height and any(wanted[name] > least[name] for name in wanted):
        name = max(wanted, key=lambda name: wanted[name] - least[name])
        wanted[name] -= 1
    left = height - _lines(wanted, 1) + 1
    return Caps(wanted["agents"], max(1, min(tasks, left)), wanted["needs"], wanted["merges"])


def _lines(rows: dict[str, int], tasks: int) -> int:
    return 2 + sum(count + 2 for count in (*rows.values(), tasks) if count)


# --- the parts -----------------------------------------------------------------------------------


def _title(run: RunRow) -> Table:
    left = Text.assemble(
        (one_line(run.id), "bold"), "  ", (stated(run.state, run.reason), RUN_STYLES.get(run.state, "bold"))
    )
    if run.detail:
        left.append(f"  {one_line(run.detail)}", "yellow")
    elif not run.running and run.state in ("created", "running"):
        left.append("  roster stopped", "dim")
    head = "promoted" if run.promoted and run.promoted == run.head else run.head[:7]
    right = Text.assemble((one_line(run.integration), "dim"), "  ", (head, "green" if head == "promoted" else "dim"))
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    table.add_column(no_wrap=True, justify="right")
    table.add_row(left, right)
    return table


def _progress(run: RunRow, spent: Text | None) -> Table:
    total = sum(run.task_counts.values())
    done = run.task_counts.get(TaskState.DONE, 0)
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    table.add_column(width=12, no_wrap=True)
    table.add_column(ratio=1, overflow="ellipsis", no_wrap=True)
    bar = ProgressBar(total=max(total, 1), completed=done, width=12, complete_style="green", finished_style="green")
    if spent is None:
        table.add_row(bar, counts(run.task_counts))
    else:
        table.add_column(no_wrap=True, justify="right")
        table.add_row(bar, counts(run.task_counts), spent)
    return table


def counts(by_state: Mapping[str, int]) -> Text:
    """`3 of 9 done, 1 working, 1 gate, 4 queued`."""
    total = sum(by_state.values())
    if not total:
        return Text("no tasks yet", "dim")
    text = Text(f"{by_state.get(TaskState.DONE, 0)} of {total} done")
    called: Counter[tuple[str, str]] = Counter()
    for state in sorted(by_state, key=lambda state: _RANK[TaskState(state)]):
        if state != TaskState.DONE:
            called[STATES[state]] += by_state[state]
    for (word, style), count in called.items():
        text.append(", ").append(f"{count} {word}", style)
    return text


def _agent_lists(rows: Sequence[AgentRow], tight: bool) -> tuple[list[AgentRow], list[AgentRow]]:
    """Those that get a line, and those that share one."""
    if not tight:
        return list(rows), []
    waiting = [row for row in rows if row.state in ("idle", "absent") and not row.doing]
    return [row for row in rows if row not in waiting], waiting


def _agents(
    rows: Sequence[AgentRow], waiting: Sequence[AgentRow], cap: int, now: datetime | None, tight: bool
) -> list[RenderableType]:
    if not rows and not waiting:
        return []
    table = _table(("agent", 8), ("state", 7), ("doing", None), tight=tight)
    room = cap - bool(waiting)
    for row in rows[:room]:
        style = _AGENT_STYLES.get(row.state, "")
        table.add_row(one_line(row.name), Text(row.state, style), Text(_doing(row, now), style="" if style else "dim"))
    parts: list[RenderableType] = [table] if rows else []
    names = [*rows[room:], *waiting]
    if names:
        groups = {state: [row.name for row in names if row.state == state] for state in ("working", "idle", "absent")}
        said = "; ".join(f"{state}: {', '.join(map(one_line, group))}" for state, group in groups.items() if group)
        parts.append(_dim(said, tight))
    return parts


def _doing(row: AgentRow, now: datetime | None) -> str:
    words = [one_line(row.doing) if row.doing else "", ", ".join(row.tasks)]
    text = " ".join(word for word in (reversed(words) if row.role in WORKERS else words) if word)
    if now is None or row.progress_at is None or row.state != "working" or row.role not in WORKERS:
        return text
    return f"{text} ({ago((now - row.progress_at).total_seconds())})"


def ago(seconds: float) -> str:
    """`12 s`, `3 min`, `2 h`, `4 d`."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def _cut(rows: Sequence[R], cap: int) -> tuple[Sequence[R], int]:
    """The rows that have room, and how many more there are to be told of on a line of its own; that takes a row's place."""
    if len(rows) <= cap or cap == 1:
        return rows[:cap], 0
    return rows[: cap - 1], len(rows) - cap + 1


def _task_rank(row: TaskRow) -> tuple[int, int, int]:
    """What moves first, then what waits by priority, then what is done, the newest first."""
    rank = _RANK[TaskState(row.state)]
    number = int(row.id.partition("-")[2])
    return (rank, 0, -number) if row.state == TaskState.DONE else (rank, row.priority, number)


def _tasks(rows: Sequence[TaskRow], cap: int, tight: bool) -> list[RenderableType]:
    if not rows:
        return []
    shown, more = _cut(rows, cap)
    table = _table(("task", 4), ("state", 9), ("agent", 8), ("", 2), ("title", None), tight=tight)
    for row in shown:
        word, style = STATES[row.state]
        title = Text(one_line(row.title))
        title.append(_aside(row), "dim")
        table.add_row(row.id, Text(word, style), one_line(row.agent), Text(f"P{row.priority}", "dim"), title)
    return [table, *([_dim(f"and {more} more: `callboard status --all`", tight)] if more else [])]


def _aside(row: TaskRow) -> str:
    said = "standing" if row.standing else ""
    if row.due_at is not None:
        said = f"standing, due at {row.due_at.astimezone(UTC):%H:%MZ}"
    elif row.state != TaskState.DONE and row.reason:
        said = one_line(row.reason)
    elif row.attempt > 1 and row.state != TaskState.DONE:
        said = f"attempt {row.attempt}"
    return f"  {said}" if said else ""


def _needs(rows: Sequence[QuestionRow], cap: int, tight: bool) -> list[RenderableType]:
    if not rows:
        return []
    shown, more = _cut(rows, cap)
    table = _table(("ask", 4), ("task", 4), ("needs an answer", None), tight=tight)
    for row in shown:
        options = f"  [{' | '.join(map(one_line, row.options))}]" if row.options else ""
        aside = f"overdue  {one_line(row.text)}" if row.overdue else one_line(row.text)
        table.add_row(Text(row.id, "bold red" if row.overdue else "yellow"), row.task, Text(aside + options))
    return [table, *([_dim(f"and {more} more: `callboard questions`", tight)] if more else [])]


def _merges(rows: Sequence[MergeRow], cap: int, tight: bool) -> list[RenderableType]:
    if not rows or not cap:
        return []
    table = _table(("landed", 7), ("task", 4), ("title", None), tight=tight)
    for row in reversed(rows[-cap:]):
        table.add_row(Text(row.commit[:7], "green"), row.task, Text(one_line(row.title)))
    return [table]


def _table(*columns: tuple[str, int | None], tight: bool) -> Table:
    """Columns of at least these widths, two spaces apart; the last one takes what is left."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=tight)
    for heading, width in columns:
        last = width is None
        table.add_column(
            heading,
            min_width=width,
            ratio=1 if last and tight else None,
            no_wrap=tight or not last,
            overflow="ellipsis" if tight else "fold",
        )
    return table


def _dim(text: str, tight: bool) -> Text:
    return Text(text, "dim", no_wrap=tight, overflow="ellipsis" if tight else "fold")
