"""One run's data on the server as a whole: how much there is, all of it, and writing back what was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from callboard.bus.archive import Row
from callboard.bus.delivery import id_of
from callboard.bus.journal import FOLLOW_BLOCK_S, fields_of
from callboard.bus.journal import Row as StreamRow
from callboard.bus.keys import Keys
from callboard.bus.link import Link
from callboard.bus.parcel import Arg, flat
from callboard.bus.run_state import Buried, RunState, Waiting
from callboard.bus.script import Part, checked, text

ABOUT = "look after the journal"
PARTS = ("board", "timers", "dead", "spend", "reserved")
"""What a run has beside its inboxes, as `sizes` names it; an inbox is `inbox:<name>`."""
STREAM_KEEPS = 1_000
"""The newest entries stay in the journal's stream: who reads the last of it, such as a command that waits for an answer, needs no
archive. About 2 MB."""
SLICE = 1_000
"""Entries that one call trims at most; the server does nothing else meanwhile."""


@dataclass(frozen=True, slots=True)
class Look:
    """A run on the server at one moment."""

    seq: int
    rows: tuple[tuple[str, Row], ...]
    """The next entries of the journal's stream, each with its place."""
    sizes: Mapping[str, int]
    """Part -> how many things are in it."""


class Store:
    """What the archiver does on the server."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def look(self, place: str, inboxes: Iterable[str], limit: int) -> Look:
        """How much there is, and entries from a place of the journal's stream on; "" = from its beginning."""
        keys, names = self._keys, sorted(inboxes)
        reply = await self._run(
            "look", [keys.journal, keys.seq, *self._part_keys(), *map(keys.inbox, names)], [place, limit]
        )
        rows = cast(list[StreamRow], reply[1])
        sizes = dict(zip((*PARTS, *(f"inbox:{name}" for name in names)), cast(list[int], reply[2]), strict=True))
        return Look(int(text(reply[0])), tuple((row[0].decode(), _row(row)) for row in rows), sizes)

    async def wait(self, place: str, block_s: float = FOLLOW_BLOCK_S) -> None:
        """Until the journal's stream has an entry behind a place, or `block_s` is over."""
        args = ("XREAD", "BLOCK", round(block_s * 1000), "COUNT", 1, "STREAMS", self._keys.journal, place or "0-0")
        await self._link.block(*args, block_s=block_s, about=ABOUT)

    async def note_read(self, readers: Mapping[str, int], *, keep: int = STREAM_KEEPS) -> int:
        """Say how far readers have read, and trim what nobody needs.

        Args:
            readers: By name; `archive` = what is archived.
            keep: How many entries stay in any case.

        Returns:
            How many entries were trimmed: SLICE = there may be more.
        """
        keys = [self._keys.journal, self._keys.seq, self._keys.readers]
        reply = await self._run("trim", keys, [keep, SLICE, *flat(list(readers.items()))])
        return int(text(reply[0]))

    async def whole(self, inboxes: Iterable[str]) -> RunState:
        """Everything, at one moment."""
        keys, names = self._keys, sorted(inboxes)
        reply = await self._run("whole", [keys.seq, *self._part_keys(), keys.done, *map(keys.inbox, names)], [])
        board, timers, dead, spend, reserved, done, *waiting = cast(list[list[Part]], reply[2:])
        return RunState(
            seq=int(text(reply[0])),
            at=int(text(reply[1])),
            board=_pairs(board),
            inboxes={name: _waiting(rows) for name, rows in zip(names, waiting, strict=True)},
            timers={name: int(due) for name, due in _pairs(timers).items()},
            dead=dict(map(_buried, dead)),
            spend={name: int(amount) for name, amount in _pairs(spend).items()},
            reserved=_pairs(reserved),
            done={name: int(until) for name, until in _pairs(done).items()},
        )

    async def restore(
        self,
        state: RunState,
        parts: Iterable[str],
        *,
        seen: int,
        archived: int = 0,
        entries: Sequence[Row] | None = None,
    ) -> bool:
        """Write parts of a run as `state` has them; False, and nothing is written, when the count of entries is not `seen`.

        Args:
            archived: The last entry of the archive.
            entries: What the journal's stream gets, which begins anew; None = it stays as it is.
        """
        keys, wanted = self._keys, set(parts)
        count = "" if entries is None else state.seq
        rows = [(row.seq, row.at, row.entry) for row in entries or ()]
        args: list[Arg] = [seen, count, state.at, archived, *flat(rows)]
        named = {**dict(zip(PARTS, self._part_keys(), strict=True)), "done": keys.done}
        named |= {f"inbox:{name}": keys.inbox(name) for name in state.inboxes}
        contents = _contents(state)
        for part in named:
            args += contents[part] if part in wanted else ["keep"]
        own = [keys.journal, keys.seq, keys.readers, keys.failures, keys.held]
        return text((await self._run("restore", [*own, *named.values()], args))[0]) == "1"

    def _part_keys(self) -> tuple[str, ...]:
        keys = self._keys
        return keys.board, keys.timers, keys.dead, keys.spend, keys.reserved

    async def _run(self, script: str, keys: list[str], args: list[Arg]) -> list[Part]:
        return checked(await self._link.script(script, keys, args, about=ABOUT), ABOUT)


def sizes(state: RunState) -> dict[str, int]:
    """How much there must be of each part."""
    own = [len(state.board), len(state.timers), len(state.dead), len(state.spend), len(state.reserved)]
    found = dict(zip(PARTS, own, strict=True))
    return found | {f"inbox:{name}": len(waiting) for name, waiting in state.inboxes.items()}


def _contents(state: RunState) -> dict[str, list[Arg]]:
    """Part -> its kind and rows, as restore.lua reads them."""
    dead: list[tuple[Arg, ...]] = [
        (seq, each.raw, each.inbox, each.reason, each.error, each.failures, each.lives, each.at)
        for seq, each in state.dead.items()
    ]
    hashes: dict[str, Mapping[str, Arg]] = {"board": state.board, "spend": state.spend, "reserved": state.reserved}
    zsets = {"timers": state.timers, "done": {mark: until for mark, until in state.done.items() if until > state.at}}
    return {
        **{part: ["hash", *flat(list(fields.items()))] for part, fields in hashes.items()},
        **{part: ["zset", *flat([(score, member) for member, score in rows.items()])] for part, rows in zsets.items()},
        "dead": ["dead", *flat(dead)],
        **{
            f"inbox:{name}": ["inbox", *flat([(each.raw, each.lives) for each in waiting.values()])]
            for name, waiting in state.inboxes.items()
        },
    }


def _row(row: StreamRow) -> Row:
    fields = fields_of(row)
    return Row(int(fields[b"seq"]), int(fields[b"at"]), fields[b"entry"].decode())


def _pairs(flat_pairs: Sequence[Part]) -> dict[str, str]:
    return dict(zip(map(text, flat_pairs[::2]), map(text, flat_pairs[1::2]), strict=True))


def _waiting(rows: Sequence[Part]) -> dict[str, Waiting]:
    found = [cast(list[Part], row) for row in rows]
    # what has no id came by no script of ours and is in no journal
    return {
        id_of(cast(bytes, raw)): Waiting(text(raw), int(text(lives))) for raw, lives in found if id_of(cast(bytes, raw))
    }


def _buried(row: Part) -> tuple[int, Buried]:
    it = _pairs(cast(list[Part], row))
    numbers = int(it["failures"]), int(it["lives"]), int(it["at"])
    return int(it["seq"]), Buried(it["m"], it["inbox"], it["reason"], it["error"], *numbers)
