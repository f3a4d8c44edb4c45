"""What states of runs and tasks are called in these routes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from callboard.agents.manager.phases import NAMES
from callboard.bus.board import TaskState

RUNS: Mapping[str, str] = {
    "created": "RUN_CREATED",
    "running": "PHASE_EXECUTION",
    "paused": "PHASE_EXECUTION",
    "succeeded": "DONE_SUCCESS",
    "cancelled": "DONE_CANCELLED",
}
"""A paused run is in PHASE_EXECUTION, and `paused_for` says why it does not go on."""
FAILED = "DONE_FAILED"
REASONS = ("budget_exhausted", "policy_violation", "requires_human_review", "environment")


def run_state(state: str, reason: str) -> str:
    """`failed` carries its reason in its name."""
    if state == "failed":
        return f"{FAILED}_{reason.upper()}" if reason else FAILED
    return RUNS[state]


RUN_STATES: Mapping[str, tuple[str, str]] = {
    "RUN_CREATED": ("created", ""),
    "PHASE_EXECUTION": ("", ""),
    "DONE_SUCCESS": ("succeeded", ""),
    "DONE_CANCELLED": ("cancelled", ""),
    FAILED: ("failed", ""),
    **{f"{FAILED}_{reason.upper()}": ("failed", reason) for reason in REASONS},
}
"""Name -> the state and reason that it asks for; PHASE_EXECUTION is two states."""


def has_state(name: str, state: str, reason: str) -> bool:
    """Whether a run is in the state of a name; DONE_FAILED is every way to fail."""
    return run_state(state, reason) == name or (name == FAILED and state == "failed")


def phase_states(states: Mapping[str, int]) -> dict[str, int]:
    """Phases by the names of their states, from tasks by theirs."""
    named: Counter[str] = Counter()
    for state, count in states.items():
        named[NAMES[TaskState(state)]] += count
    return dict(sorted(named.items()))
