"""The manager's office: one epoch per manager process, and the handler that puts messages on the desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from loguru import logger

from callboard.agents.manager.decision import MANAGER, Policy
from callboard.agents.manager.desk import decide
from callboard.agents.runtime import Work
from callboard.bus.board import Board, Change, ManagerDoc
from callboard.bus.errors import RosterError
from callboard.bus.messages import Envelope, Outcome


class Boards(Protocol):
    """What the office needs of the bus."""

    async def board(self) -> Board: ...

    async def change(self, changes: Sequence[Change], *, sender: str) -> None: ...


class Office:
    """Who is the manager now. A newer manager raises the epoch; everything the older one commits is then stale."""

    def __init__(self, bus: Boards, owner: str, on_lost: Callable[[], None]) -> None:
        self._bus = bus
        self._owner = owner
        self._on_lost = on_lost
        self._doc = ManagerDoc()

    async def enter(self) -> None:
        """Become the manager, by a change of its own: a board that was read before may be old by then.

        Raises:
            BoardStale: Another manager entered at the same moment.
        """
        now = (await self._bus.board()).get("manager", ManagerDoc)
        self._doc = ManagerDoc(version=now.version + 1, epoch=now.epoch + 1, owner=self._owner)
        await self._bus.change([Change("manager", self._doc)], sender=MANAGER)

    def guard(self) -> tuple[tuple[str, int], ...]:
        """What every outcome carries: it is committed only while this process is the manager."""
        return (("manager", self._doc.version),)

    async def board(self) -> Board:
        """The board as it is now, for the manager alone.

        Raises:
            RosterError: As `check`.
        """
        board = await self._bus.board()
        self.check(board)
        return board

    def check(self, board: Board) -> None:
        """Stop this manager once another has taken over.

        Raises:
            RosterError: The board names a newer manager.
        """
        now = board.get("manager", ManagerDoc)
        if now.epoch > self._doc.epoch:
            self._on_lost()
            raise RosterError(f"another manager ({now.owner}) has taken over this run; this one stops")


class DeskHandler:
    """Puts one message after the other on the desk, with the board as this process knows it."""

    def __init__(self, bus: Boards, office: Office, policy: Policy, clock: Callable[[], datetime]) -> None:
        self._bus = bus
        self._office = office
        self._policy = policy
        self._clock = clock
        self._board: Board | None = None
        self._last = ""
        self._unsure: tuple[tuple[str, int], ...] = ()
        """Fields as the last decision left them, if its commit went through: the next one is only good if it did."""

    def lane(self, envelope: Envelope) -> str:
        return "desk"

    async def handle(self, work: Work) -> Outcome:
        """Decide one message. The board is read again whenever the last commit may not have gone through."""
        board = await self._current(work.envelope)
        outcome = decide(board, work.envelope, self._clock(), self._policy)
        changed = {change.field: change.doc.version for change in outcome.changes}
        before = tuple(guard for guard in self._unsure if guard[0] not in changed)
        self._unsure = tuple(changed.items()) or self._unsure
        self._board = board.with_changes(outcome.changes)
        return replace(outcome, guards=(*self._office.guard(), *before))

    async def _current(self, envelope: Envelope) -> Board:
        again = envelope.id == self._last
        self._last = envelope.id
        if self._board is None or again:
            self._board, self._unsure = await self._bus.board(), ()
            logger.debug("board read", fields=len(self._board.docs))
        self._office.check(self._board)
        return self._board
