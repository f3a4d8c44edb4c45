"""Whether the agents of a launch have nothing left to do."""

from __future__ import annotations

from collections.abc import Sequence

from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.outlook import outlook
from callboard.agents.settings import HANDS
from callboard.app import consumer_name
from callboard.bus.board import AgentDoc, Board
from callboard.bus.bus import Bus


async def is_quiet(bus: Bus, board: Board, outsiders: Sequence[str] = ()) -> bool:
    """Whether every message that somebody is there to handle has been handled.

    Args:
        outsiders: Agents from outside. What one of them has not heard waits until it comes, and nothing waits for that.

    One of a kind that nobody knows waits for a newer program, which a rolling restart brings: it must not hold up a launch
    that ends otherwise, so then it becomes a dead letter, which status shows.
    """
    ours = [agent for agent in board.all(AgentDoc) if agent.role and agent.name not in outsiders]
    there = [agent.name for agent in ours if agent.state != "down"]
    # the manager is counted before it is there: its first message is that there is a roster
    waiting = await bus.backlog([MANAGER, *there, *HANDS])
    left = [name for name, count in waiting.items() if count]
    if left and outlook(board) != "moving":
        for name in left:
            await bus.inbox(name, consumer_name(name)).bury_unknown()
    return not left


async def is_settled(bus: Bus, board: Board, outsiders: Sequence[str] = ()) -> bool:
    """Whether every message was handled (see is_quiet), and nothing has come of them that the board, read before, does not say.

    What emptied the inboxes meanwhile may have begun something, such as a new task of a run that had succeeded; and who looks
    on may want something of what is there now, and has not seen it yet.
    """
    return await is_quiet(bus, board, outsiders) and (await bus.board()).docs == board.docs
