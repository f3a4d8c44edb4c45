"""`callboard launch --dry-run`: what the manager would make of the directions, found out by asking its desk, which is pure."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from callboard.agents.manager.decision import MANAGER, Policy
from callboard.agents.manager.desk import decide
from callboard.agents.manager.dispatch import waits_for
from callboard.bus.board import ENDED, Board, TaskDoc
from callboard.bus.caps import Limits
from callboard.bus.messages import Body, DirectionsRead, Draft, Envelope, RosterChanged, new_id
from callboard.cli.forecast import Forecast


class Waiting(BaseModel):
    """A task that a launch would work on, or wait with."""

    model_config = ConfigDict(frozen=True)

    id: str
    key: str
    title: str
    priority: int
    state: str
    standing: bool
    waits_for: tuple[str, ...]
    """Keys of tasks that must be done first."""
    reason: str


class Rehearsal(BaseModel):
    """What a launch would begin with."""

    model_config = ConfigDict(frozen=True)

    continues: str | None
    """The run it would go on with; None = it would begin a new one."""
    base: str
    """The commit the run starts from, or started from."""
    goal: str
    safety: str
    agents: dict[str, tuple[Waiting, ...]]
    """Agent -> its tasks in the order in which it would get them."""
    done: int
    """Tasks that have ended already, in this run or an earlier one."""
    problems: tuple[str, ...]
    """What is odd in the direction files."""
    forecast: Forecast
    """What the open tasks may cost."""


def rehearse(
    board: Board,
    roster: dict[str, str],
    read: DirectionsRead,
    now: datetime,
    policy: Policy,
    limits: Limits | None = None,
) -> Board:
    """The board as it would be once the manager has heard of the roster and its directions."""
    for body in (RosterChanged(agents=roster, limits=limits or Limits()), read):
        board = board.with_changes(decide(board, _envelope(board, body, now), now, policy).changes)
    return board


def _envelope(board: Board, body: Body, now: datetime) -> Envelope:
    return Draft(MANAGER, body).stamp(id=new_id(), run=board.run.id, sender=MANAGER, now=now)


def in_order(board: Board) -> dict[str, tuple[Waiting, ...]]:
    """The open tasks of each agent: begun ones first, then by priority and place in the file."""
    by_agent: dict[str, list[TaskDoc]] = {}
    for task in board.tasks():
        if task.state not in ENDED:
            by_agent.setdefault(task.task.agent, []).append(task)
    return {
        agent: tuple(_waiting(board, task) for task in sorted(tasks, key=_rank)) for agent, tasks in by_agent.items()
    }


def ended(board: Board) -> int:
    return sum(task.state in ENDED for task in board.tasks())


def _rank(task: TaskDoc) -> tuple[bool, int, int]:
    return task.attempt == 0, task.task.priority, task.task.order


def _waiting(board: Board, task: TaskDoc) -> Waiting:
    return Waiting(
        id=task.id,
        key=task.task.key,
        title=task.task.title,
        priority=task.task.priority,
        state=task.state.value,
        standing=task.task.standing,
        waits_for=tuple(waits_for(board, task)),
        reason=task.reason,
    )
