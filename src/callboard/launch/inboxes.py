"""Which inboxes a run has."""

from __future__ import annotations

from callboard.agents.manager.decision import MANAGER
from callboard.bus.board import AgentDoc, Board

HANDS = ("gate", "land")
MANAGERS = (MANAGER, *HANDS)


def inboxes(board: Board) -> tuple[str, ...]:
    """The manager's and those of its hands first, then each agent's."""
    return (*MANAGERS, *(agent.name for agent in board.all(AgentDoc) if agent.name != MANAGER))
