"""Who reads an inbox, and when the server last heard of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callboard.bus.errors import BusError
from callboard.bus.inbox import RELEASED
from callboard.bus.keys import GROUP, Keys
from callboard.bus.link import Link


@dataclass(frozen=True, slots=True)
class Consumer:
    """One process at one inbox."""

    name: str
    """`<agent>.<host>.<pid>-<when it began>`."""
    silent_s: float
    """Since it last read, or renewed a lease."""

    @property
    def began(self) -> str:
        """Sorts by time."""
        return self.name.rpartition("-")[2]


async def read_consumers(link: Link, keys: Keys, inbox: str) -> tuple[Consumer, ...]:
    """Every process that an inbox has had as a consumer and not forgotten; () = nobody has ever read it.

    The consumer that holds what was released is no process, and its name would sort behind all of them.

    Raises:
        BusUnavailable
    """
    try:
        rows = await link.command(
            "XINFO", "CONSUMERS", keys.inbox(inbox), GROUP, about=f"look at the readers of {inbox}"
        )
    except BusError as error:
        if "no such key" in str(error).lower() or "NOGROUP" in str(error):
            return ()
        raise
    assert isinstance(rows, Sequence)
    return tuple(found for row in rows if (found := _consumer(row)).name != RELEASED)


def _consumer(row: object) -> Consumer:
    """A row is a dictionary, or a list of names and values, as the protocol has it."""
    pairs = row.items() if isinstance(row, dict) else zip(list(row)[::2], list(row)[1::2], strict=True)  # type: ignore[call-overload]
    found = {_text(name): value for name, value in pairs}
    return Consumer(_text(found["name"]), int(found["idle"]) / 1000)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
