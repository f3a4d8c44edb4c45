"""Where an agent from outside takes its work, and lays down what came of it: one piece at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Literal

from callboard.agents.brains.brain import AnyJob, RawAnswer, RawVerdict, Report, Result
from callboard.bus.errors import CommandRefused
from callboard.bus.messages import Envelope, Outcome, TaskAssigned

Given = Result | RawVerdict | RawAnswer
State = Literal["offered", "beginning", "open", "given", "ending"]
KEPT = 100
"""Pieces of which it is known how they ended; of an older one is said that it is not in hand."""


class Left(Exception):
    """Whoever works outside has gone: nothing more comes through this hatch."""


class Piece:
    """One message that asks for work: a task, something to judge, a question."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.is_task = isinstance(envelope.body, TaskAssigned)
        self.id = _called(envelope, self.is_task)
        self.accepted = asyncio.Event()
        """A task's work has begun: it was accepted, or taken away before."""
        self.opened = asyncio.Event()
        """There is something to look at, or the piece has ended before there was."""
        self.ended = asyncio.Event()
        self.outcome: Outcome | None = None
        """What is committed of it; None = it ended without anything."""
        self.job: AnyJob | None = None
        self.report: Report | None = None
        self._given: asyncio.Future[Given] | None = None
        if not self.is_task:
            self.accepted.set()

    @property
    def state(self) -> State:
        if not self.accepted.is_set():
            return "offered"
        if self._given is None:
            return "beginning"
        if self._given.cancelled():
            return "ending"
        return "given" if self._given.done() else "open"

    def open(self, job: AnyJob, report: Report | None) -> asyncio.Future[Given]:
        """The brain's side: everything is there for the work."""
        self.job, self.report = job, report
        self._given = asyncio.get_running_loop().create_future()
        self.opened.set()
        return self._given

    def give(self, given: Given) -> None:
        """What came of it; once.

        Raises:
            CommandRefused: It has not begun, or something was given already.
        """
        if self.state != "open" or self._given is None:
            raise CommandRefused(f"{self.id} {_HINTS[self.state]}")
        self._given.set_result(given)


_HINTS: dict[State, str] = {
    "offered": "was not accepted yet: call accept first",
    "beginning": "is being made ready: call accept, which waits for it",
    "given": "is being handed in already: call next_task, which waits for what comes then",
    "ending": "is being taken from you: call next_task, which waits for what comes then",
}


def _called(envelope: Envelope, is_task: bool) -> str:
    """Also tells two requests about one attempt apart."""
    name = f"{envelope.task or envelope.kind.partition('.')[0]}.{envelope.attempt}"
    return name if is_task else f"{name}-{envelope.id[-6:]}"


class Hatch:
    """Between one agent's handler and whoever works for it."""

    def __init__(self) -> None:
        self.piece: Piece | None = None
        self._changed = asyncio.Condition()
        self._closed = asyncio.Event()
        self._past: OrderedDict[str, str] = OrderedDict()
        """How pieces ended that were here."""

    async def begin(self, envelope: Envelope) -> Piece:
        async with self._changed:
            self.piece = Piece(envelope)
            self._changed.notify_all()
        return self.piece

    async def end(self, piece: Piece, outcome: Outcome | None, how: str) -> None:
        async with self._changed:
            piece.outcome = outcome
            piece.accepted.set()
            piece.opened.set()
            piece.ended.set()
            self._past[piece.id] = how
            if len(self._past) > KEPT:
                self._past.popitem(last=False)
            self.piece = None
            self._changed.notify_all()

    def withdraw(self, task: str, attempt: int) -> None:
        """The manager takes a task away: one that nobody has accepted yet need not be waited for."""
        piece = self.piece
        if piece is not None and (piece.envelope.task, piece.envelope.attempt) == (task, attempt):
            piece.accepted.set()

    async def close(self) -> None:
        """Whoever works for it goes."""
        async with self._changed:
            self._closed.set()
            self._changed.notify_all()

    async def next(self, wait_s: float) -> Piece | None:
        """The piece that waits for whoever works for the agent; None = there is none within the time."""

        def is_there() -> bool:
            return self._closed.is_set() or (self.piece is not None and self.piece.state not in ("given", "ending"))

        try:
            async with asyncio.timeout(wait_s), self._changed:
                await self._changed.wait_for(is_there)
        except TimeoutError:
            return None
        return self.piece

    def find(self, id: str) -> Piece:
        """The piece in hand.

        Raises:
            CommandRefused: It is another one, or none; the message says what became of the one that was meant.
        """
        if self.piece is not None and self.piece.id == id:
            return self.piece
        now = f"{self.piece.id} is" if self.piece else "nothing is"
        past = f"{id} {self._past[id]}" if id in self._past else f"{id} is not in your hands"
        raise CommandRefused(f"{past}; {now} now. Nothing was changed; call next_task")

    async def accepted(self, piece: Piece) -> None:
        """Wait until a task is accepted.

        Raises:
            Left
        """
        await self._either(piece.accepted)

    async def answer(self, job: AnyJob, report: Report | None = None) -> Given:
        """The brain's side: lay the work open, and wait for what comes of it.

        Raises:
            Left
        """
        assert self.piece is not None, "a brain thinks for a message"
        given = self.piece.open(job, report)
        arrived = asyncio.Event()
        given.add_done_callback(lambda _: arrived.set())
        try:
            await self._either(arrived)
            return given.result()
        finally:
            given.cancel()

    async def _either(self, event: asyncio.Event) -> None:
        """Wait for it, or for our end; what has happened counts even if we have ended since."""
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._closed.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if not event.is_set():
            raise Left
