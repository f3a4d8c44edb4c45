"""Gate verdicts: bound to the tree that was tested and to what it was tested with."""

from __future__ import annotations

import hashlib
import json
from typing import Literal

from callboard.agents.manager.decision import Policy
from callboard.bus.board import Board, GateDoc
from callboard.bus.task import TaskSpec


def gate_hash(policy: Policy, spec: TaskSpec) -> str:
    """16 hex digits over every command that the gate of this task runs."""
    commands = json.dumps([policy.setup, policy.gate, spec.checks])
    return hashlib.sha256(commands.encode()).hexdigest()[:16]


def verdict_field(tree: str, hash: str) -> str:
    return f"verdict:{tree}:{hash}"


def verdict_of(board: Board, tree: str, hash: str) -> Literal["green", "red", "none"]:
    doc = board.get(verdict_field(tree, hash), GateDoc)
    return doc.verdict if doc.version else "none"
