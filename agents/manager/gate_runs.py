"""How often a tier's gates may come to a verdict: so many times its tasks, and more when a person says so. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from callboard.agents.manager.decision import Decision
from callboard.bus.board import Board, TaskDoc, TaskState
from callboard.bus.caps import Reached, Worked, tier_scopes
from callboard.bus.task import OwnCaps

GIVEN_UP = (TaskState.CANCELLED, TaskState.SKIPPED)
"""States of tasks that no cap is multiplied by."""


def ran(decision: Decision, tasks: Iterable[TaskDoc]) -> None:
    """A gate came to a verdict on these, a stack of the merge queue or one task: one run for each tier that has one of them."""
    worked = dict(decision.board.budget.worked)
    for scope in dict.fromkeys(scope for task in tasks for scope in tier_scopes(task.task.tier)):
        known = worked.get(scope, Worked())
        worked[scope] = known.model_copy(update={"gate_runs": known.gate_runs + 1})
        decision.put_budget(worked=worked)


def cap(board: Board, scope: str) -> int:
    """Of a tier's scope."""
    tasks = sum(scope in tier_scopes(task.task.tier) and task.state not in GIVEN_UP for task in board.tasks())
    return _cap(board, scope, tasks)


def _cap(board: Board, scope: str, tasks: int) -> int:
    said = board.budget.raised.get(scope, OwnCaps()).gate_runs
    return board.budget.limits.tier_gate_runs_per_task * tasks if said is None else said


def full(board: Board) -> dict[str, Reached]:
    """Scopes of tiers that may run no gate more."""
    used = {scope: worked.gate_runs for scope, worked in board.budget.worked.items() if worked.gate_runs}
    if not used:
        return {}
    tasks = Counter(
        scope for task in board.tasks() if task.state not in GIVEN_UP for scope in tier_scopes(task.task.tier)
    )
    caps = {scope: _cap(board, scope, tasks[scope]) for scope in used}
    return {
        scope: Reached(scope=scope, what="gate_runs", used=runs, cap=caps[scope])
        for scope, runs in used.items()
        if runs >= caps[scope]
    }
