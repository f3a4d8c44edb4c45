"""Why a run has failed: what its failed tasks have in common. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from callboard.bus.board import Board, TaskDoc, TaskState
from callboard.bus.caps import task_scope, tier_scopes

FailureReason = Literal["budget_exhausted", "policy_violation", "requires_human_review", "environment"]


def why_failed(board: Board, lost: Iterable[TaskDoc]) -> FailureReason:
    """A budget that nobody raised, else a rule of intake that one ran into to the end; `environment` only where nothing else
    is to blame.

    Args:
        lost: Tasks that ended without being done; those that were skipped follow from others.
    """
    reasons = {_why(board, task) for task in lost if task.state is TaskState.FAILED}
    if "budget_exhausted" in reasons:
        return "budget_exhausted"
    if "policy_violation" in reasons:
        return "policy_violation"
    return "environment" if reasons == {"environment"} else "requires_human_review"


def _why(board: Board, task: TaskDoc) -> FailureReason:
    spent = board.budget.exhausted
    scopes = (task_scope(task.id), *tier_scopes(task.task.tier))
    if any(scope in spent and spent[scope].stopped for scope in scopes):
        return "budget_exhausted"
    match task.notes[-1].source if task.notes else "":
        case "intake":
            return "policy_violation"
        case "environment":
            return "environment"
        case _:
            return "requires_human_review"
