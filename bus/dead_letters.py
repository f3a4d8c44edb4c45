"""What could not be handled: kept until a person sends it again or drops it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

from pydantic import AwareDatetime, BaseModel, ConfigDict

from callboard.bus.delivery import Wire, id_of
from callboard.bus.errors import BadMessage, BusError, LeaseLost
from callboard.bus.journal import DeadNote, Row, Step, encode_entry, fields_of
from callboard.bus.messages import Envelope
from callboard.bus.parcel import KEEP_MS
from callboard.bus.script import checked


class DeadLetter(BaseModel):
    """A message nobody could handle."""

    model_config = ConfigDict(frozen=True)

    id: str
    """The number of the journal entry that buried it."""
    inbox: str
    reason: str
    """In short: `rejected`, `unreadable`, `5 failures`."""
    error: str
    failures: int
    at: AwareDatetime
    raw: str
    """The message as it was sent; bytes that are no UTF-8 are escaped."""
    envelope: Envelope | None
    """None when it cannot be read."""


def no_such_letter(id: str, ids: Iterable[str]) -> BusError:
    there = ", ".join(ids)
    return BusError(f"there is no dead letter {id!r}; {f'the ids are {there}' if there else 'there are none'}")


class DeadLetters:
    """One run's dead letters."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def all(self) -> list[DeadLetter]:
        """Every dead letter, oldest first."""
        return [_read(row) for row in await self._rows()]

    async def retry(self, id: str) -> None:
        """Put the same message back into its inbox, with its failures forgotten.

        Raises:
            BusError: There is no such dead letter.
        """
        await self._take_away(id, "retry")

    async def drop(self, id: str) -> None:
        """Delete it for good; the journal keeps what it was.

        Raises:
            BusError: There is no such dead letter.
        """
        await self._take_away(id, "drop")

    async def _rows(self) -> list[Row]:
        reply = await self._wire.link.command("XRANGE", self._wire.keys.dead, "-", "+", about="read the dead letters")
        return cast(list[Row], reply)

    async def _take_away(self, id: str, step: Step) -> None:
        place = {fields_of(row)[b"seq"].decode(): row for row in await self._rows()}
        if id not in place:
            raise no_such_letter(id, place)
        row, letter, keys = place[id], _read(place[id]), self._wire.keys
        note = DeadNote(letter=int(id), inbox=letter.inbox, raw=letter.raw)
        entry = encode_entry(step, sender="person", cause=id_of(fields_of(row)[b"m"]), dead=note)
        about = f"{step} dead letter {id}"
        reply = await self._wire.link.script(
            "unbury",
            [keys.dead, keys.inbox(letter.inbox), keys.journal, keys.seq, keys.done],
            [row[0], f"d:{id}", KEEP_MS, int(step == "retry"), entry],
            about=about,
        )
        try:
            checked(reply, about)
        except LeaseLost as error:
            raise BusError(f"dead letter {id} was taken away by somebody else meanwhile") from error


def _read(row: Row) -> DeadLetter:
    fields = fields_of(row)
    try:
        envelope = Envelope.decode(fields[b"m"])
    except BadMessage:
        envelope = None
    texts = {name.decode(): value.decode("utf-8", "backslashreplace") for name, value in fields.items()}
    return DeadLetter(
        id=texts["seq"],
        inbox=texts["inbox"],
        reason=texts["reason"],
        error=texts["error"],
        failures=int(texts["failures"]),
        at=datetime.fromtimestamp(int(texts["at"]) / 1000, UTC),
        raw=texts["m"],
        envelope=envelope,
    )
