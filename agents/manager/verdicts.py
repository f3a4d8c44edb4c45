"""Gate verdicts: bound to the tree that was tested and to what it was tested with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Literal

from callboard.agents.manager.decision import Policy
from callboard.agents.workspace.commands import TIMED_OUT
from callboard.bus.board import Board, GateDoc
from callboard.bus.categories import is_high_risk
from callboard.bus.hand_messages import GateProfile
from callboard.bus.task import CommandResult, TaskSpec


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


def stack_spec(specs: Sequence[TaskSpec]) -> TaskSpec:
    """What the gate is asked of a stack: the last task, with the checks of all, each once, as strictly as any of them asks."""
    if len(specs) == 1:
        return specs[0]
    checks = dict.fromkeys(check for spec in specs for check in spec.checks)
    category = next((spec.category for spec in specs if is_high_risk(spec.category)), specs[-1].category)
    return specs[-1].model_copy(update={"checks": tuple(checks), "category": category})


def verdict_field(tree: str, hash: str) -> str:
    return f"verdict:{tree}:{hash}"


def verdict_of(board: Board, tree: str, hash: str) -> Literal["green", "red", "none"]:
    doc = board.get(verdict_field(tree, hash), GateDoc)
    return doc.verdict if doc.version else "none"


def ended(result: CommandResult) -> str:
    """How a command that failed did end."""
    if result.exit_code == TIMED_OUT:
        return f"`{result.command}` was stopped at its time limit, after {result.duration_s:.0f} s"
    return f"`{result.command}` exited {result.exit_code}"
