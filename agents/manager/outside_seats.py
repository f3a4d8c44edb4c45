"""The seats of a run that was started from outside, and where its phases are on the board."""

from __future__ import annotations

from callboard.agents.manager.decision import Decision
from callboard.bus.board import Board, OutsideDoc, PhaseDoc, TaskDoc


def outside_of(board: Board) -> OutsideDoc | None:
    """None where the run was launched."""
    doc = board.get("outside", OutsideDoc)
    return doc if doc.version else None


def phase_of(board: Board, task: TaskDoc) -> PhaseDoc | None:
    """None where the task is no phase."""
    doc = board.get(f"phase:{task.id}", PhaseDoc)
    return doc if doc.version else None


def put_phase(decision: Decision, doc: PhaseDoc, **values: object) -> PhaseDoc:
    return decision.put(f"phase:{doc.task}", decision.board.get(f"phase:{doc.task}", PhaseDoc), **values)
