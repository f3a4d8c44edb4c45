"""The archiver: keeps a run's journal in its archive, trims what is kept, and writes back what the server loses; one per run.

At every look it has the archive's rows added up (`RunState`). When the server's count of entries is the same, the server must
hold just that; what it lacks was deleted there, and is restored in one step. A count that is lower, or an entry that is
another one than archived, tells that all was deleted: then everything is restored, and what was written since is played
again behind it, so that nothing accepted is lost and no number is given twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass

from loguru import logger

from callboard.bus.archive import Archive, Row
from callboard.bus.errors import BusError
from callboard.bus.run_state import RunState
from callboard.bus.store import PARTS, SLICE, Look, Store, sizes

LIMIT = 500
"""Entries archived at once, with one fsync."""
GATHER_S = 0.02
"""Between two looks while entries come: the most that a machine's crash can take from the archive is what came meanwhile."""
LOOK_EVERY_S = 0.25
"""Between two looks while none come."""
MOST_TRIES = 100
"""To restore between two entries; each try takes milliseconds."""
EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was lost on the server and is there again."""

    lost: tuple[str, ...]
    """Parts, or `everything`."""
    seq: int
    """The journal's count since."""
    waiting: int
    """Messages in inboxes."""
    refused: tuple[str, ...] = ()
    """Why entries that were written meanwhile could not be taken over, one for each."""

    def __str__(self) -> str:
        text = f"the server had lost {', '.join(self.lost)}: restored from the archive as of entry {self.seq}"
        text += f", {self.waiting} messages wait in their inboxes"
        return text + (f"; {len(self.refused)} entries written meanwhile were void" if self.refused else "")


class Archiver:
    """Archives one run. What is in the archive decides where it goes on, so it can be killed at any byte.

    Args:
        inboxes: Those that the run may have, named beforehand; the journal names the others.
        say: Told, as a sentence, what was lost or restored.
    """

    def __init__(self, store: Store, archive: Archive, *, inboxes: Iterable[str], say: Callable[[str], None]) -> None:
        self._store = store
        self._archive = archive
        self._inboxes = frozenset(inboxes)
        self._say = say
        self._state: RunState | None = None
        """Of the last archived row; None before the archive was read."""
        self._last: Row | None = None
        self._place = ""
        self._is_placed = False
        """Everything behind `_place` in the stream is new; else what is archived has to be passed over first."""
        self._untrimmed = True
        self._tried: tuple[tuple[str, ...], int] | None = None
        """What was last restored in part, and at which entry."""
        self.restored: list[Restored] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Archive until `stop` is set and everything that was in the journal by then is archived.

        Raises:
            ArchiveBroken, BusError: It cannot go on. A new archiver goes on where this one ended.
        """
        while True:
            is_last = stop.is_set()
            has_more = await self.step()
            if has_more:
                continue
            if is_last:
                return
            await self._store.wait(self._place, LOOK_EVERY_S)
            if not stop.is_set():
                await asyncio.sleep(GATHER_S)

    async def step(self) -> bool:
        """Look once, and do what is to be done; whether there is more to do at once."""
        if self._state is None:
            self._state = await asyncio.to_thread(self._read_archive)
        state = self._state
        look = await self._store.look(self._place, self._names, LIMIT)
        if look.seq < state.seq or self._is_another_life([row for _, row in look.rows]):
            await self._restore_everything(state)
            return True
        fresh = [(place, row) for place, row in look.rows if row.seq > state.seq]
        next_ones = [each for n, each in enumerate(fresh, state.seq + 1) if each[1].seq == n]
        if next_ones:
            await self._keep([row for _, row in next_ones])
        elif fresh or (look.seq > state.seq and not look.rows):
            await self._bridge_gap(state)
            return True
        if len(next_ones) < len(fresh):
            self._place = next_ones[-1][0]
            return True
        self._is_placed = self._is_placed or bool(fresh) or not look.rows
        self._place = look.rows[-1][0] if look.rows else self._place
        if len(look.rows) == LIMIT:
            return True
        await self._trim()
        if state.seq == look.seq and (lost := self._lost(look)):
            await self._restore(lost, look.seq)
        return False

    @property
    def _names(self) -> frozenset[str]:
        return self._inboxes.union(self._state.inboxes if self._state else ())

    def _read_archive(self) -> RunState:
        state = RunState()
        for row in self._archive.rows():
            state.apply(row)
            self._last = row
        return state

    def _is_another_life(self, rows: list[Row]) -> bool:
        """Whether the stream has an entry that was archived otherwise: it began anew."""
        last = self._last
        if last is None:
            return False
        if self._is_placed:
            return any(row.seq <= last.seq for row in rows)
        return any(row.seq == last.seq and row != last for row in rows) and not last.is_snapshot

    async def _keep(self, rows: list[Row]) -> None:
        """Each is read first: one that cannot be would be in the archive for good, and nothing could read past it.

        Raises:
            BusError: One cannot be read; those before it are archived.
        """
        readable, why = self._read(rows)
        if readable:
            await asyncio.to_thread(self._archive.append, readable)
            self._last = readable[-1]
            self._untrimmed = True
        if why:
            raise BusError(why)

    def _read(self, rows: list[Row]) -> tuple[list[Row], str]:
        """The rows up to one that cannot be read, added up; and why that one cannot."""
        assert self._state is not None
        for n, row in enumerate(rows):
            try:
                self._state.apply(row)
            except (ValueError, LookupError, TypeError, AttributeError) as error:
                return rows[:n], f"entry {row.seq} of the journal cannot be read: {type(error).__name__}: {error}"
        return rows, ""

    async def _trim(self) -> None:
        """Tell the server what is archived; it trims what all readers have read."""
        if self._untrimmed and self._state is not None:
            while await self._store.note_read({"archive": self._state.seq}) == SLICE:
                pass
            self._untrimmed = False

    def _lost(self, look: Look) -> tuple[str, ...]:
        """Parts that hold less than they must; none while a newer program may have taken away what this one cannot read."""
        assert self._state is not None
        if not self._state.knows_all:
            return ()
        return tuple(part for part, size in sizes(self._state).items() if look.sizes.get(part, size) < size)

    async def _restore(self, lost: tuple[str, ...], seen: int) -> None:
        """Of something that was recorded meanwhile the next look tells; what does not stay is not tried for ever."""
        assert self._state is not None
        if self._tried == (lost, seen):
            return
        self._tried = (lost, seen)
        if await self._store.restore(self._state, lost, seen=seen):
            self._tell(lost, self._state)

    async def _restore_everything(self, archived: RunState) -> None:
        logger.error("the server has lost the run, restoring it", archived=archived.seq)
        for _ in range(MOST_TRIES):
            seen, young = await self._young()
            state, refused, kept = deepcopy(archived), list[str](), list[Row]()
            for row in young:
                moved = Row(state.seq + 1, row.at, row.entry)
                if reason := state.refusal(moved):
                    refused.append(reason)
                else:
                    state.apply(moved)
                    kept.append(moved)
            parts = [*PARTS, "done", *(f"inbox:{name}" for name in state.inboxes)]
            state.at = max(state.at, archived.at)
            if await self._store.restore(state, parts, seen=seen, archived=archived.seq, entries=kept):
                self._place, self._is_placed = "", False
                self._tell((EVERYTHING,), state, refused)
                return
        raise BusError("the server has lost the run, and is written to too fast to restore it; stop who writes there")

    async def _young(self) -> tuple[int, list[Row]]:
        """The count, and what was written since the server lost the run."""
        place, found = "", list[Row]()
        while True:
            look = await self._store.look(place, (), LIMIT)
            found += [row for _, row in look.rows]
            if len(look.rows) < LIMIT:
                break
            place = look.rows[-1][0]
        known = next((n for n, row in enumerate(found, 1) if row == self._last), 0)
        return look.seq, found[known:]

    async def _bridge_gap(self, state: RunState) -> None:
        """Entries are gone that were not archived: go on from what is on the server."""
        whole = await self._store.whole(self._names)
        if unknown := _agents(whole) - self._names:
            whole = await self._store.whole(self._names | unknown)
        self._say(
            f"entries {state.seq + 1} to {whole.seq} of the journal are neither on the server nor archived; "
            "the archive goes on with all that the server holds now"
        )
        row = Row(whole.seq, whole.at, whole.snapshot())
        await asyncio.to_thread(self._archive.append, [row])
        state.apply(row)
        self._last, self._is_placed, self._untrimmed = row, False, True

    def _tell(self, lost: tuple[str, ...], state: RunState, refused: Iterable[str] = ()) -> None:
        waiting = sum(map(len, state.inboxes.values()))
        restored = Restored(lost, state.seq, waiting, tuple(refused))
        self.restored.append(restored)
        self._say(str(restored))
        for reason in restored.refused:
            logger.error("an entry written to the emptied server is void", reason=reason)


def _agents(state: RunState) -> frozenset[str]:
    """The agents that the board names."""
    return frozenset(name.partition(":")[2] for name in state.board if name.startswith("agent:"))
