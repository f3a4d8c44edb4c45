"""What calls may cost and did cost, counted on the server, over all agents at once.

A reservation is held from before a call until the call is settled. Nothing else lets go of it: a process that was
killed, or a call whose usage nobody knows, may have cost all of it, so it stays open and counts in full, to the run's end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from callboard.bus.caps import Caps, OpenCall, PaidIn, Spent, SpentSeen, amounts
from callboard.bus.journal import PaidCall, encode_entry
from callboard.bus.keys import Keys
from callboard.bus.link import Link
from callboard.bus.parcel import flat
from callboard.bus.script import Part, checked, text


@dataclass(frozen=True, slots=True)
class Full:
    """The cap that leaves no room."""

    scope: str
    what: PaidIn
    settled: int
    held: int
    """By calls that are not settled yet."""
    cap: int

    @property
    def is_spent(self) -> bool:
        """Whether settled calls alone have reached the cap; else some of what is held back may become free."""
        return self.settled >= self.cap


class Spending:
    """One run's reservations and spend."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def reserve(self, call: OpenCall, caps: Mapping[str, Caps], guards: Sequence[tuple[str, int]]) -> Full | None:
        """Hold back what a call may cost at most; None when it is held, also by an earlier try with the same id.

        There is room while settled and held back are below every cap, so all calls together pass a cap by less than
        the one that was let in last.

        Args:
            caps: By scope: all that the call counts against.
            guards: Board fields that must still have these versions: where the caps were read.

        Raises:
            BoardStale: One has not; nothing was written.
            BusUnavailable, InboxFull
        """
        rows = [(scope, cap.tokens, cap.micro_usd) for scope, cap in caps.items()]
        reply = await self._run(
            "reserve",
            [self._keys.spend, self._keys.reserved, self._keys.board, self._keys.journal, self._keys.seq],
            [
                call.id,
                call.model_dump_json(),
                encode_entry("reserve", sender=call.agent, call=call),
                *flat(list(guards)),
                *flat(rows),
            ],
        )
        if text(reply[0]) == "held":
            return None
        scope, what, settled, held, cap = map(text, reply[1:])
        return Full(scope, cast(PaidIn, what), int(settled), int(held), int(cap))

    async def settle(self, id: str, paid: Spent) -> bool:
        """Count what a call did cost and let go of its reservation; False when that was done before.

        Raises:
            BusUnavailable, InboxFull
        """
        call = await self.call(id)
        if call is None:
            return False
        entry = encode_entry("settle", sender=call.agent, paid=PaidCall(call=call, paid=paid))
        keys = [self._keys.journal, self._keys.seq, self._keys.spend, self._keys.reserved]
        return bool(await self._run("settle", keys, [id, entry, *flat(amounts(call, paid))]))

    async def call(self, id: str) -> OpenCall | None:
        """An open reservation; None when it is settled, or never was."""
        raw = await self._link.command("HGET", self._keys.reserved, id, about="read a reservation")
        return OpenCall.model_validate_json(cast(bytes, raw)) if raw else None

    async def seen(self) -> SpentSeen:
        """What is spent and held back at this moment."""
        fields, calls = cast(list[list[bytes]], await self._run("spent", [self._keys.spend, self._keys.reserved], []))
        amounts: dict[str, dict[str, int]] = {}
        for field, amount in zip(fields[::2], fields[1::2], strict=True):
            scope, _, what = field.decode().rpartition(" ")
            amounts.setdefault(scope, {})[what] = int(amount)
        spent = {scope: Spent.model_validate(amounts[scope]) for scope in sorted(amounts)}
        # ids are ordered by time
        opened = sorted((OpenCall.model_validate_json(raw) for raw in calls), key=lambda call: call.id)
        return SpentSeen(spent=spent, open=tuple(opened))

    async def _run(self, script: str, keys: list[str], args: list[str | bytes | int]) -> list[Part]:
        about = f"{script} what a call costs"
        return checked(await self._link.script(script, keys, args, about=about), about)
