"""Who can move a run on, read off its board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from callboard.agents.manager import dispatch
from callboard.agents.manager.decision import MANAGER, newest, open_tasks
from callboard.bus.board import HELD_BY_AGENT, AgentDoc, BlockerDoc, Board, TaskDoc, TaskState
from callboard.bus.caps import agent_scope
from callboard.bus.deployments import DeploymentDoc

IN_HAND = frozenset(
    {
        TaskState.ASSIGNED,
        TaskState.WORKING,
        TaskState.GATE,
        TaskState.REVIEW,
        TaskState.APPROVED,
        TaskState.MERGING,
    }
)
"""States that machines move on without a person."""


def outlook(board: Board) -> Literal["moving", "people", "ended"]:
    """Whether agents can still move the run, only people can, or it has ended."""
    run = board.run
    if run.state == "created" or run.awaits_directions:
        return "moving"
    if run.state in ("succeeded", "failed", "cancelled"):
        return "ended"
    if run.state == "paused" and not run.waits:
        is_held = any(task.state in HELD_BY_AGENT for task in board.tasks())
        return "moving" if is_held or run.reason == "disk" else "people"
    known = newest(board)
    if any(deploys(board, doc) for doc in board.all(DeploymentDoc)):
        return "moving"
    can_move = any(_moves(board, task) or _takers(board, known, task) for task in needed(board))
    return "moving" if can_move else "people"


def deploys(board: Board, doc: DeploymentDoc) -> bool:
    """Whether a deployment goes on without a person: a step is in hand, or reviewers are asked."""
    deployer = next((agent for agent in board.all(AgentDoc) if agent.role == "deployment"), AgentDoc())
    is_there = bool(doc.step) and deployer.state != "down"
    return not doc.is_over and not doc.question and (is_there or doc.state == "reviewing")


def needed(board: Board) -> list[TaskDoc]:
    """What holds the end of the run: work that is not standing, and standing work that it depends on."""
    known = newest(board)
    waiting = [task for task in open_tasks(board) if not task.task.standing]
    found: dict[str, TaskDoc] = {}
    while waiting:
        task = waiting.pop()
        if task.id not in found:
            found[task.id] = task
            waiting += [known[key] for key in dispatch.unmet(known, task)]
    return list(found.values())


def _moves(board: Board, task: TaskDoc) -> bool:
    return (task.state in IN_HAND and not waits_for_budget(board, task)) or climbs(board, task)


def climbs(board: Board, task: TaskDoc) -> bool:
    """Whether others than people are asked about what blocks it."""
    blocker = board.get(f"blocker:{task.blocker}", BlockerDoc)
    return task.state is TaskState.BLOCKED and blocker.state == "open" and bool(blocker.id) and not blocker.question


def waits_for_budget(board: Board, task: TaskDoc) -> bool:
    """A review that cannot go on until a person raises the budget of its task, its tier or a reviewer."""
    if task.state is not TaskState.REVIEW or not task.reason:
        return False
    awaited = [agent_scope(name) for name in task.awaited]
    return dispatch.is_spent(board, task) or any(scope in board.budget.exhausted for scope in awaited)


def _takers(board: Board, known: Mapping[str, TaskDoc], task: TaskDoc) -> list[str]:
    """Agents that may take a task that waits for one."""
    spent = board.budget.exhausted
    if task.state not in dispatch.READY or dispatch.unmet(known, task) or dispatch.is_spent(board, task):
        return []
    drivers = (agent for agent in board.all(AgentDoc) if agent.role in dispatch.WORKERS and agent.state != "down")
    names = (agent.name for agent in drivers if agent_scope(agent.name) not in spent)
    return [name for name in names if dispatch.is_for(task, name, board)]


def awaited_outside(board: Board, outsiders: Sequence[str]) -> tuple[str, ...]:
    """The agents from outside without whom nothing moves on; empty = something else can move, or only people can.

    Args:
        outsiders: Agents that no launch starts: nothing says when one of them comes, or comes back.
    """
    run, deployments = board.run, board.all(DeploymentDoc)
    by_itself = run.state == "created" or run.awaits_directions or run.reason == "disk"
    if by_itself or any(deploys(board, doc) for doc in deployments):
        return ()
    known = newest(board)
    if run.state == "paused" and not run.waits:
        held = [task.agent for task in board.tasks() if task.state in HELD_BY_AGENT]
    else:
        held = [name for task in needed(board) for name in _holders(board, known, task)]
    return tuple(sorted(set(held))) if set(held) <= set(outsiders) else ()


def _holders(board: Board, known: Mapping[str, TaskDoc], task: TaskDoc) -> list[str]:
    """Who can move a task on, machines as the manager; nobody: people, or another task first."""
    if task.state in HELD_BY_AGENT:
        return [task.agent]
    return [MANAGER] if _moves(board, task) else _takers(board, known, task)
