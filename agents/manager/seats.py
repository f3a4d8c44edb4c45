"""Who holds which task."""

from __future__ import annotations

from callboard.agents.manager.decision import Decision
from callboard.bus.board import HELD_BY_AGENT, AgentDoc, Board, TaskDoc, TaskState
from callboard.bus.messages import TaskCancelled


def held_task(decision: Decision, name: str) -> TaskDoc | None:
    return next((task for task in decision.board.tasks() if task.agent == name and task.state in HELD_BY_AGENT), None)


def let_go(decision: Decision, name: str) -> None:
    """The agent is free for its next task."""
    agent = decision.agent(name)
    state = "idle" if agent.state == "working" else agent.state
    decision.put_agent(name, state=state, task="", doing="", progress_at=decision.now)


def requeue_held(decision: Decision, name: str, why: str) -> None:
    task = held_task(decision, name)
    if task is None:
        return
    decision.send(name, TaskCancelled(reason=why), task)
    decision.put_agent(name, task="")
    decision.put_task(task, state=TaskState.QUEUED, reason=why, agent="")


def reviewers(board: Board) -> tuple[str, ...]:
    """The reviewers of the roster, whether or not they are there now: one who is absent can still answer in time."""
    return tuple(sorted(agent.name for agent in board.all(AgentDoc) if agent.role == "reviewer"))
