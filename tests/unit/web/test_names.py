"""What states are called in the Autopack guide's routes: every state has a name, and every name can be asked for."""

from __future__ import annotations

from typing import get_args

import pytest

from callboard.agents.manager.phases import NAMES
from callboard.bus.board import RunDoc, TaskState
from callboard.bus.outside_messages import PhaseMove
from callboard.web.guide.names import REASONS, RUN_STATES, has_state, phase_states, run_state

CALLED = {
    ("created", ""): "RUN_CREATED",
    ("running", ""): "PHASE_EXECUTION",
    ("paused", "budget"): "PHASE_EXECUTION",
    ("succeeded", ""): "DONE_SUCCESS",
    ("cancelled", "operator"): "DONE_CANCELLED",
    ("failed", ""): "DONE_FAILED",
    ("failed", "budget_exhausted"): "DONE_FAILED_BUDGET_EXHAUSTED",
    ("failed", "policy_violation"): "DONE_FAILED_POLICY_VIOLATION",
    ("failed", "requires_human_review"): "DONE_FAILED_REQUIRES_HUMAN_REVIEW",
    ("failed", "environment"): "DONE_FAILED_ENVIRONMENT",
}


@pytest.mark.parametrize(("state", "name"), CALLED.items())
def test_a_run_is_called_by_its_state_and_found_by_that_name(state: tuple[str, str], name: str) -> None:
    assert run_state(*state) == name
    assert has_state(name, *state)
    assert [other for other in RUN_STATES if has_state(other, *state)] == list(
        dict.fromkeys(["DONE_FAILED", name] if state[0] == "failed" else [name])
    )


def test_no_state_is_without_a_name() -> None:
    assert {state for state, _ in CALLED} == set(get_args(RunDoc.model_fields["state"].annotation))
    assert {reason for state, reason in CALLED if state == "failed" and reason} == set(REASONS)
    assert set(CALLED.values()) == set(RUN_STATES)
    assert set(NAMES) == set(TaskState)
    assert set(NAMES.values()) == set(get_args(PhaseMove))


def test_phases_are_counted_by_the_names_of_their_states() -> None:
    states = {"working": 1, "blocked": 2, "gate": 1, "review": 1, "done": 3, "skipped": 1, "cancelled": 1}
    assert phase_states(states) == {"COMPLETE": 3, "EXECUTING": 3, "GATE": 2, "SKIPPED": 2}
