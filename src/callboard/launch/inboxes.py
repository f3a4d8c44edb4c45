"""Which inboxes a run has."""

from __future__ import annotations

from callboard.agents.settings import HANDS, MANAGER
from callboard.bus.board import AgentDoc, Board

MANAGERS = (MANAGER, *HANDS)


def inboxes(board: Board) -> tuple[str, ...]:
    """The manager's and those of its hands first, then each agent's."""
    return (*MANAGERS, *(agent.name for agent in board.all(AgentDoc) if agent.name != MANAGER))
