"""Gate verdicts: bound to the tree that was tested and to what it was tested with."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from callboard.agents.manager.decision import Policy
from callboard.bus.board import Board, GateDoc
from callboard.bus.categories import is_high_risk
from callboard.bus.hand_messages import GateProfile
from callboard.bus.task import TaskSpec


def profile_of(spec: TaskSpec) -> GateProfile:
    """How strictly a task's gate judges, where nobody says it."""
    return "strict" if is_high_risk(spec.category) else "normal"


def project_gate(policy: Policy, profile: GateProfile) -> tuple[str, ...]:
    """The project's commands of a profile, whatever the task."""
    return (*policy.gate, *policy.strict) if profile == "strict" else policy.gate


def gate_hash(policy: Policy, spec: TaskSpec, profile: GateProfile | None = None) -> str:
    """16 hex digits over the profile and every command that the gate of this task runs.

    Args:
        profile: None = the task's own.
    """
    chosen = profile or profile_of(spec)
    commands = json.dumps([policy.setup, project_gate(policy, chosen), spec.checks, chosen])
    return hashlib.sha256(commands.encode()).hexdigest()[:16]


def verdict_field(tree: str, hash: str) -> str:
    return f"verdict:{tree}:{hash}"


def verdict_of(board: Board, tree: str, hash: str) -> Literal["green", "red", "none"]:
    doc = board.get(verdict_field(tree, hash), GateDoc)
    return doc.verdict if doc.version else "none"
