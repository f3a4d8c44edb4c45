"""Commits that come due together go to the server in one call; each gets its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from redis import exceptions

from callboard.bus.ending import end
from callboard.bus.errors import BusError
from callboard.bus.keys import Keys
from callboard.bus.link import Link, translated
from callboard.bus.messages import JOURNAL
from callboard.bus.parcel import EMPTY, KEEP_MS, Arg, Parcel, flat
from callboard.bus.script import Part, checked, text

MOST_COMMITS = 200
"""In one call; the server does nothing else meanwhile (some 5 ms)."""
MOST_BYTES = 4_000_000
"""Of what one call carries, unless a single commit is larger."""


Answer = Callable[[BaseException | None], None]
"""Hears None once the commit is on the server for good, by this call or an earlier one; else what is to be raised. It must not
raise itself."""
NOTHING: tuple[Arg, ...] = (0, 0, 0, 0)
"""No messages, changes, guards or timers."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What one handled message leads to."""

    inbox: str
    """The name of the inbox it came from."""
    fence: Sequence[Arg]
    member: str
    """What it is remembered by."""
    parcel: Parcel
    journal: str
    """Its journal entry's JSON."""
    kind: str
    """Of the message that was handled."""

    @property
    def size(self) -> int:
        """Bytes, nearly: its journal entry holds all that it sends and changes once more."""
        return 2 * len(self.journal)

    @property
    def about(self) -> str:
        return f"commit {self.kind} {self.inbox}/{self.fence[1]!s}"


class Committer:
    """One call at a time: what comes due meanwhile, or in the same turn of the event loop, goes into the next.

    A caller that is cancelled does not take its commit back: a command in flight is never broken off.
    """

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys
        self._waiting: list[tuple[Commit, Answer]] = []
        self._calling: asyncio.Task[None] | None = None

    def submit(self, commit: Commit, answer: Answer) -> None:
        """`answer` hears of LeaseLost, BoardStale, InboxFull, BusUnavailable or another BusError, or of a success."""
        self._waiting.append((commit, answer))
        if self._calling is None:
            self._calling = asyncio.get_running_loop().create_task(self._call_until_none_waits(), name="commits")

    async def close(self) -> None:
        """Nobody waits for an answer any more."""
        if self._calling is not None:
            await end(self._calling)

    async def _call_until_none_waits(self) -> None:
        try:
            while batch := self._next_batch():
                await self._answer(batch)
        finally:
            self._calling = None

    def _next_batch(self) -> list[tuple[Commit, Answer]]:
        count = size = 0
        for commit, _ in self._waiting[:MOST_COMMITS]:
            size += commit.size
            if count and size > MOST_BYTES:
                break
            count += 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        return batch

    async def _answer(self, batch: list[tuple[Commit, Answer]]) -> None:
        """Commit them; whatever happens, everybody who waits hears of it."""
        commits = [commit for commit, _ in batch]
        about = commits[0].about if len(commits) == 1 else f"{commits[0].about} and {len(commits) - 1} more"
        try:
            reply = await self._link.script("commit", *call_of(commits, self._keys), about=about)
            answers = checked(reply, about)
        except BaseException as error:
            for _, answer in batch:
                answer(error)
            if not isinstance(error, Exception):
                raise
            return
        for (commit, answer), said in zip(batch, answers, strict=True):
            answer(_error_in(cast(list[Part], said), commit))


def call_of(commits: Sequence[Commit], keys: Keys) -> tuple[list[str], list[Arg]]:
    """Keys and arguments of commit.lua."""
    places: dict[str, int] = {}

    def place(name: str) -> int:
        return places.setdefault(name, len(places) + 1)

    args: list[Arg] = [KEEP_MS, len(commits)]
    for each in commits:
        parcel = each.parcel
        args += (place(each.inbox), *each.fence, each.member, each.journal)
        if parcel is EMPTY:
            args += NOTHING
            continue
        sent = [(place(to.recipient), raw) for to, raw in parcel.messages if to.recipient != JOURNAL]
        args += [*flat(sent), *parcel.change_args(), *parcel.guard_args(), *parcel.timer_args()]
    shared = [keys.journal, keys.seq, keys.done, keys.failures, keys.held, keys.board, keys.timers, keys.counts]
    return [*shared, *map(keys.inbox, places)], args


def _error_in(answer: list[Part], commit: Commit) -> Exception | None:
    word = answer[0]
    if word in (b"ok", b"done"):
        return None
    try:
        if word == b"error":
            raise translated(exceptions.ResponseError(text(answer[1])), commit.about)
        checked(answer, commit.about)
    except BusError as error:
        return error
    return None


def telling(answered: asyncio.Future[None]) -> Answer:
    """Hands an answer to whoever waits for it, if anybody still does."""
    return partial(_tell, answered)


def _tell(answered: asyncio.Future[None], error: BaseException | None) -> None:
    if answered.done():
        return
    if error is None:
        answered.set_result(None)
    elif isinstance(error, asyncio.CancelledError):
        answered.cancel()
    else:
        answered.set_exception(error)
