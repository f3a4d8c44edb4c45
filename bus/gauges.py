"""How much of everything a run has on its server at one moment, and how fast it moves between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from callboard.bus.keys import Keys
from callboard.bus.link import Link
from callboard.bus.script import checked

ABOUT = "gauge the bus"


@dataclass(frozen=True, slots=True)
class InboxGauge:
    """One inbox."""

    name: str
    waiting: int
    """Messages nobody has yet."""
    held: int
    """Messages a consumer has and has not committed."""
    oldest_s: float | None
    """Seconds since the oldest of both was sent; None when there is none."""
    redelivered: int
    """Of those that are held, how many were held before."""
    sent: int
    """Every message that was ever put into it, a dead letter that was sent again once more."""

    @property
    def handled(self) -> int:
        return self.sent - self.waiting - self.held


@dataclass(frozen=True, slots=True)
class BusGauges:
    """One run on its server."""

    at: datetime
    """The server's time."""
    seq: int
    """Steps so far: the number of the journal's last entry."""
    dead: int
    timers: int
    failing: int
    """Messages that have failed and are not given up."""
    redeliveries: int
    """How often a message was given to a consumer once more, over the whole run."""
    fenced: int
    """How often the fence kept out what a consumer wanted to write that had lost its lease, over the whole run."""
    memory_bytes: int
    """Of the whole server, other runs included."""
    memory_limit_bytes: int
    """0 = none."""
    clients: int
    """Connections to the whole server."""
    disk_failed: bool
    """It could not write to its append-only file the last time that it tried."""
    inboxes: tuple[InboxGauge, ...]


@dataclass(frozen=True, slots=True)
class InboxRate:
    """Messages per second."""

    sent: float
    handled: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What happened between two moments, per second."""

    steps: float
    inboxes: dict[str, InboxRate]


async def read_gauges(link: Link, keys: Keys, names: Sequence[str]) -> BusGauges:
    """Two round trips, however many inboxes there are.

    Raises:
        BusUnavailable, BusError
    """
    own = [keys.seq, keys.dead, keys.timers, keys.failures, keys.counts]
    reply = checked(await link.script("gauges", [*own, *map(keys.inbox, names)], [], about=ABOUT), ABOUT)
    now_ms, seq, dead, timers, failing, redeliveries, fenced, *rows = reply
    said = cast(bytes, await link.command("INFO", "memory", "clients", "persistence", about=ABOUT))
    info = _facts(said)
    return BusGauges(
        at=datetime.fromtimestamp(cast(int, now_ms) / 1000, UTC),
        seq=cast(int, seq),
        dead=cast(int, dead),
        timers=cast(int, timers),
        failing=cast(int, failing),
        redeliveries=cast(int, redeliveries),
        fenced=cast(int, fenced),
        memory_bytes=info.get("used_memory", 0),
        memory_limit_bytes=info.get("maxmemory", 0),
        clients=info.get("connected_clients", 0),
        disk_failed=b"aof_last_write_status:err" in said,
        inboxes=tuple(_inbox(name, cast(list[int], row)) for name, row in zip(names, rows, strict=True)),
    )


def rates(before: BusGauges, after: BusGauges) -> Rates:
    """Of two gauges of one run; 0 where no time went by. Counts that went back (the data vanished between them) are 0 too."""
    past, seconds = {each.name: each for each in before.inboxes}, (after.at - before.at).total_seconds()

    def per_second(was: int, now: int) -> float:
        return max(0, now - was) / seconds if seconds > 0 else 0.0

    return Rates(
        per_second(before.seq, after.seq),
        {
            each.name: InboxRate(per_second(was.sent, each.sent), per_second(was.handled, each.handled))
            for each in after.inboxes
            if (was := past.get(each.name))
        },
    )


def _inbox(name: str, row: list[int]) -> InboxGauge:
    length, added, pending, oldest_ms, redelivered = row
    oldest_s = None if oldest_ms < 0 else oldest_ms / 1000
    return InboxGauge(name, length - pending, pending, oldest_s, redelivered, added)


def _facts(info: bytes) -> dict[str, int]:
    """The whole numbers in what INFO says."""
    pairs = (line.partition(":") for line in info.decode("utf-8", "replace").splitlines())
    return {name: int(value) for name, _, value in pairs if value.isdigit()}
