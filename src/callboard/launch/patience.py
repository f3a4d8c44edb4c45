"""How long a launch waits for what does not move by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from callboard.agents.manager.outlook import awaited_outside, outlook
from callboard.bus.board import AgentDoc, Board

SETTLED_S = 1.0
"""How long only people must be able to move the run before the launch says so: what just came may still be decided."""
DEAD_S = 10.0
"""How long nothing may move while dead letters wait for a person; a timer may still bring work on before."""


@dataclass(slots=True)
class Patience:
    """Looks at the board again and again, until nothing is waited for any more.

    Args:
        outsiders: Name -> how many seconds one attempt of that agent from outside may take; nothing is waited for longer.
        now: Of a clock that only goes on, in seconds, as each `now` below.
    """

    outsiders: Mapping[str, float]
    now: float
    awaited: tuple[str, ...] = ()
    """The agents from outside without whom nothing moves on."""
    _signs: tuple[tuple[str, int], ...] = ()
    _moved_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._moved_at = self.now

    def is_over(self, board: Board, *, is_busy: bool, has_dead: bool, now: float) -> bool:
        """Whether the launch has waited long enough.

        Args:
            is_busy: Messages are on their way that somebody here handles.
            has_dead: Dead letters wait for a person.
        """
        self.awaited = () if is_busy else awaited_outside(board, list(self.outsiders))
        signs = tuple((name, board.get(f"agent:{name}", AgentDoc).version) for name in self.awaited)
        is_moving = outlook(board) == "moving"
        if is_busy or signs != self._signs or (is_moving and not has_dead and not self.awaited):
            self._moved_at = now
        self._signs = signs
        return now - self._moved_at > self._limit_s(is_moving=is_moving)

    def _limit_s(self, *, is_moving: bool) -> float:
        if self.awaited:
            return max(self.outsiders[name] for name in self.awaited)
        return DEAD_S if is_moving else SETTLED_S
