"""One manager process: the real office and desk on the simulated bus."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TypeVar

from callboard.agents.manager.office import DeskHandler, Office
from callboard.bus.board import Board, Change
from callboard.bus.errors import BoardStale, RosterError
from callboard.bus.messages import Draft, Envelope
from simulation.world import SimulatedWorld

T = TypeVar("T")


def now(work: Coroutine[object, object, T]) -> T:
    """The result of what never waits."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits for something")


@dataclass(frozen=True, slots=True)
class Boards:
    """The board as the office reads it."""

    world: SimulatedWorld

    async def board(self) -> Board:
        return self.world.board

    async def change(self, changes: Sequence[Change], *, sender: str) -> None:
        self.world.change(changes)


@dataclass(frozen=True, slots=True)
class OnDesk:
    """A message as the desk gets it."""

    envelope: Envelope
    deliveries: int = 1

    async def emit(self, *drafts: Draft) -> None:
        raise AssertionError("the desk emits nothing")


class Desk:
    """A manager process, from its entrance until another has taken over."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.alive = True
        self._world = world
        boards = Boards(world)
        self._office = Office(boards, "manager", self._die)
        self._handler = DeskHandler(boards, self._office, world.policy, lambda: world.now)
        self._is_in = False

    def decide(self, message: Envelope) -> None:
        """Decide and commit, again while the board was stale.

        Raises:
            LeaseLost
        """
        try:
            if not self._is_in:
                now(self._office.enter())
                self._is_in = True
            while True:
                outcome = now(self._handler.handle(OnDesk(message)))
                try:
                    self._world.commit("manager", message, outcome, "manager")
                    return
                except BoardStale:
                    continue
        except RosterError:
            return

    def _die(self) -> None:
        self.alive = False
