"""What a task's state is called where it is a phase, and which of them people may move it to. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from callboard.bus.board import TaskState
from callboard.bus.outside_messages import PhaseMove

NAMES: Mapping[TaskState, PhaseMove] = {
    TaskState.QUEUED: "QUEUED",
    TaskState.CHANGES_REQUESTED: "QUEUED",
    TaskState.ASSIGNED: "EXECUTING",
    TaskState.WORKING: "EXECUTING",
    TaskState.BLOCKED: "EXECUTING",
    TaskState.GATE: "GATE",
    TaskState.REVIEW: "GATE",
    TaskState.APPROVED: "CI_RUNNING",
    TaskState.MERGING: "CI_RUNNING",
    TaskState.DONE: "COMPLETE",
    TaskState.FAILED: "FAILED",
    TaskState.CANCELLED: "SKIPPED",
    TaskState.SKIPPED: "SKIPPED",
}
"""GATE: intake, gate and review of what was handed in. CI_RUNNING: the merge queue tests the tree that lands."""

MOVES: Mapping[PhaseMove, frozenset[PhaseMove]] = {
    "QUEUED": frozenset({"EXECUTING", "FAILED", "SKIPPED"}),
    "EXECUTING": frozenset({"QUEUED", "FAILED", "SKIPPED"}),
    "GATE": frozenset({"SKIPPED"}),
    "CI_RUNNING": frozenset({"SKIPPED"}),
    "COMPLETE": frozenset(),
    "FAILED": frozenset({"QUEUED", "SKIPPED"}),
    "SKIPPED": frozenset({"QUEUED"}),
}
"""What people may move. Into GATE comes what is handed in, into CI_RUNNING what is approved, to COMPLETE what has landed."""


def is_legal(was: PhaseMove, to: PhaseMove) -> bool:
    """Staying where it is is no move."""
    return was == to or to in MOVES[was]
