"""Which agent gets which task next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from fnmatch import fnmatch

from callboard.agents.manager import gate_runs
from callboard.agents.manager.decision import Decision, hands_out, newest, open_tasks
from callboard.agents.manager.outside_seats import outside_of
from callboard.bus.board import AgentDoc, Board, BriefingDoc, TaskDoc, TaskState
from callboard.bus.caps import RUN, Worked, agent_scope, task_scope, tier_scopes
from callboard.bus.messages import TaskAssigned
from callboard.bus.states import WORKERS as WORKERS
from callboard.bus.task import Briefing

DRIVER = "driver"
NAMED = 8
"""So many files are named in a warning."""
READY = frozenset({TaskState.QUEUED, TaskState.CHANGES_REQUESTED})


def assign_ready(decision: Decision) -> None:
    """To each idle driver its next ready task."""
    if not hands_out(decision.board) or RUN in decision.board.budget.exhausted:
        return
    for name in sorted(agent.name for agent in decision.board.all(AgentDoc) if _is_free(decision, agent)):
        task = next_task(decision, name)
        if task is not None and all(decision.board.has_attempt(scope) for scope in (RUN, agent_scope(name))):
            _assign(decision, name, task)


def _is_free(decision: Decision, agent: AgentDoc) -> bool:
    is_parked = agent.parked_until is not None and agent.parked_until > decision.now
    is_spent = agent_scope(agent.name) in decision.board.budget.exhausted
    return agent.state == "idle" and agent.role in WORKERS and not is_parked and not is_spent


def next_task(decision: Decision, agent: str) -> TaskDoc | None:
    """Begun tasks first, then priority with ageing, then file order."""
    board = decision.board
    known, full = newest(board), gate_runs.full(board)
    ready = [
        task
        for task in board.tasks()
        if task.state in READY and is_for(task, agent, board) and _is_due(task, decision.now)
        if not is_spent(board, task)
        and all(scope not in full and board.has_attempt(scope) for scope in tier_scopes(task.task.tier))
    ]
    free = [task for task in ready if not unmet(known, task)]
    return min(free, key=lambda task: rank(decision, task), default=None)


def is_spent(board: Board, task: TaskDoc) -> bool:
    """Its own budget or its tier's is, until a person raises it."""
    scopes = (task_scope(task.id), *tier_scopes(task.task.tier))
    return any(scope in board.budget.exhausted for scope in scopes)


def _is_due(task: TaskDoc, now: datetime) -> bool:
    if task.rests:
        return False
    if task.not_before and task.not_before > now:
        return False
    return not (task.task.standing and task.task.until and now.date() > task.task.until)


def waits_for(board: Board, task: TaskDoc) -> list[str]:
    """Keys of the tasks that must be done before this one and are not; what no task has as its key is an obstacle."""
    return unmet(newest(board), task)


def unmet(known: Mapping[str, TaskDoc], task: TaskDoc) -> list[str]:
    """The same, with the newest task of each key at hand."""
    keys = [key for key in task.task.depends_on if key not in task.waived]
    return [key for key in keys if key in known and not was_done(known[key])]


def was_done(task: TaskDoc) -> bool:
    """Standing work never ends, so one round of it counts."""
    return task.state is TaskState.DONE or task.rounds > 0


def is_for(task: TaskDoc, agent: str, board: Board) -> bool:
    """Whoever's directions it stands in; any driver, where that agent takes no tasks, has left the roster, is down, or is to
    use no more. A phase is for whom it names alone."""
    owner = board.get(f"agent:{task.task.agent}", AgentDoc)
    spent = board.budget.exhausted.get(agent_scope(task.task.agent))
    is_stopped = spent is not None and spent.stopped
    if task.task.agent == agent:
        return True
    helps = board.get(f"agent:{agent}", AgentDoc).role == DRIVER and outside_of(board) is None
    return helps and (owner.role not in WORKERS or owner.state == "down" or is_stopped)


def rank(decision: Decision, task: TaskDoc) -> tuple[bool, int, int, int]:
    waited = decision.now - (task.queued_at or decision.now)
    aged = task.task.priority - int(waited / decision.policy.ageing)
    is_begun = task.attempt > 0 and task.not_before is None
    return (not is_begun, aged, task.task.order, int(task.id.partition("-")[2]))


def _assign(decision: Decision, agent: str, task: TaskDoc) -> None:
    _warn_of_overlap(decision, task)
    base = task.base if task.pin else decision.board.run.head
    task = decision.put_task(
        task,
        state=TaskState.ASSIGNED,
        agent=agent,
        attempt=task.attempt + 1,
        base=base,
        head="",
        merging_at=None,
        verdicts={},
        not_before=None,
    )
    briefing = decision.board.get(f"briefing:{task.task.agent}", BriefingDoc).briefing
    body = TaskAssigned(
        spec=task.task,
        briefing=briefing or Briefing(agent=agent, version=""),
        base=base,
        start=task.pin or base,
        notes=task.notes,
    )
    decision.send(agent, body, task)
    free = {"parked_until": None, "parked_for": ""}
    decision.put_agent(agent, state="working", task=task.id, doing="assigned", progress_at=decision.now, **free)
    count_attempt(decision, agent, task)
    decision.log("task", f"assigned to {agent}, attempt {task.attempt}", task=task)


def count_attempt(decision: Decision, agent: str, task: TaskDoc) -> None:
    """One attempt more for the run, the tier and the agent; a task's are in the task."""
    worked = dict(decision.board.budget.worked)
    for scope in (RUN, *tier_scopes(task.task.tier), agent_scope(agent)):
        known = worked.get(scope, Worked())
        worked[scope] = known.model_copy(update={"attempts": known.attempts + 1})
    decision.put_budget(worked=worked)


def _warn_of_overlap(decision: Decision, task: TaskDoc) -> None:
    """Of what is at work, or was handed in and has not landed: what both may touch, and what the other one has touched."""
    others = [other for other in open_tasks(decision.board) if other.id != task.id and other.state not in READY]
    for other in others:
        may = [f"both may touch `{path}`" for path in overlap(task.task.paths, other.task.paths)]
        has = [f"it has changed `{file}`" for file in other.files if overlap(task.task.paths, (file,))]
        if (may or has) and other.state is not TaskState.BLOCKED:
            decision.log("task", f"may collide with {other.id}", [*may, *has[:NAMED]], task=task)


def overlap(ours: Iterable[str], theirs: Iterable[str]) -> list[str]:
    """Patterns of ours that name what a pattern of theirs names too; by pattern text, so a guess for a warning."""
    theirs = tuple(theirs)
    return [path for path in ours if any(fnmatch(path, other) or fnmatch(other, path) for other in theirs)]
