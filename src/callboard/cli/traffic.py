"""The bus at two moments as one picture: what `callboard bus top` shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from callboard.bus.gauges import BusGauges, InboxGauge, InboxRate, rates
from callboard.bus.lease import LEASE_S
from callboard.cli.output import plural
from callboard.cli.plain import one_line

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One inbox."""

    name: str
    sent_per_s: float
    handled_per_s: float
    waiting: int
    held: int
    oldest_s: float | None
    redelivered: int
    sent: int
    handled: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """A run's bus at a moment, and how fast it moved since the look before."""

    run: str
    at: datetime
    steps: int
    steps_per_s: float
    dead_letters: int
    timers: int
    failing: int
    memory_bytes: int
    memory_limit_bytes: int
    clients: int
    inboxes: tuple[InboxRow, ...]


def traffic(run: str, before: BusGauges, after: BusGauges) -> Traffic:
    """Pure."""
    moved = rates(before, after)
    return Traffic(
        run=run,
        at=after.at,
        steps=after.seq,
        steps_per_s=moved.steps,
        dead_letters=after.dead,
        timers=after.timers,
        failing=after.failing,
        memory_bytes=after.memory_bytes,
        memory_limit_bytes=after.memory_limit_bytes,
        clients=after.clients,
        inboxes=tuple(_row(each, moved.inboxes.get(each.name, InboxRate(0, 0))) for each in after.inboxes),
    )


def _row(gauge: InboxGauge, rate: InboxRate) -> InboxRow:
    return InboxRow(
        name=gauge.name,
        sent_per_s=rate.sent,
        handled_per_s=rate.handled,
        waiting=gauge.waiting,
        held=gauge.held,
        oldest_s=gauge.oldest_s,
        redelivered=gauge.redelivered,
        sent=gauge.sent,
        handled=gauge.handled,
    )


def draw(seen: Traffic) -> RenderableType:
    return Group(_head(seen), Text(), _table(seen))


def _head(seen: Traffic) -> Text:
    limit = f" of {seen.memory_limit_bytes / MB:,.0f}" if seen.memory_limit_bytes else ""
    return Text.assemble(
        (one_line(seen.run), "bold"),
        f"  {seen.at:%H:%M:%SZ}  {seen.steps:,} steps, {seen.steps_per_s:,.1f}/s  "
        f"{plural(seen.timers, 'timer')}  {seen.failing} failing  ",
        (plural(seen.dead_letters, "dead letter"), "bold red" if seen.dead_letters else ""),
        f"\nserver: {seen.memory_bytes / MB:,.1f}{limit} MB, {plural(seen.clients, 'connection')}",
    )


def _table(seen: Traffic) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("inbox", no_wrap=True)
    for heading in ("sent/s", "handled/s", "waiting", "held", "oldest", "again", "handled"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in seen.inboxes:
        table.add_row(
            Text(one_line(row.name), "bold"),
            f"{row.sent_per_s:,.1f}",
            f"{row.handled_per_s:,.1f}",
            Text(f"{row.waiting:,}", "" if row.waiting else "dim"),
            Text(f"{row.held:,}", "" if row.held else "dim"),
            _age(row.oldest_s),
            Text(f"{row.redelivered:,}", "yellow" if row.redelivered else "dim"),
            f"{row.handled:,}",
        )
    return table


def _age(oldest_s: float | None) -> Text:
    """Yellow where a message is older than a lease."""
    if oldest_s is None:
        return Text("")
    said = f"{oldest_s:.1f} s" if oldest_s < 60 else f"{oldest_s / 60:.0f} min"
    return Text(said, "yellow" if oldest_s > LEASE_S else "")
