"""For whom a moment counts as time worked: of the run, tiers, tasks and agents. Pure."""

from __future__ import annotations

from callboard.agents.manager.outlook import IN_HAND, waits_for_budget
from callboard.bus.board import HELD_BY_AGENT, Board, TaskState
from callboard.bus.caps import RUN, agent_scope, task_scope, tier_scopes


def in_hand(board: Board) -> list[str]:
    """The scopes for which this moment is time worked."""
    scopes: dict[str, None] = {}
    for task in board.tasks():
        if task.state not in IN_HAND or waits_for_budget(board, task):
            continue
        scopes[RUN] = None
        judging = task.state is TaskState.REVIEW and not task.reason
        if task.state in HELD_BY_AGENT:
            at_it = [task.agent]
        elif judging:
            at_it = list(task.awaited)
        else:
            continue
        own = (*tier_scopes(task.task.tier), task_scope(task.id))
        scopes |= dict.fromkeys((*own, *map(agent_scope, at_it)))
    return list(scopes)
