"""Who holds which task."""

from __future__ import annotations

from callboard.agents.manager.decision import Decision
from callboard.agents.manager.outside_seats import outside_of
from callboard.agents.reviewer.consensus import TRIO, Seats
from callboard.bus.board import HELD_BY_AGENT, AgentDoc, Board, TaskDoc, TaskState
from callboard.bus.messages import TaskCancelled
from callboard.bus.reviews import SEATS


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


def needed(board: Board) -> int:
    """How many reviewers approve something: three, but for the one seat of a run from outside (decision 0042)."""
    return TRIO if outside_of(board) is None else 1


def trio(board: Board) -> Seats:
    """Who sits where: as the launch said; whoever it said nothing of sits as its name says, or on a free seat."""
    if (run := outside_of(board)) is not None:
        return Seats(run.auditor, (), need=needed(board))
    names = reviewers(board)
    given = {name: board.get(f"agent:{name}", AgentDoc).seat or (name if name in SEATS else "") for name in names}
    free = [seat for seat in SEATS if seat not in given.values()]
    taken = {seat: name for name, seat in given.items() if seat}
    taken |= dict(zip(free, (name for name in names if not given[name]), strict=False))
    return Seats(taken.get("senior", ""), tuple(taken[seat] for seat in SEATS[1:] if seat in taken))
