"""What a task's Tier says."""

from __future__ import annotations

import pytest

from callboard.bus.task import UNTIERED
from callboard.directions.parse import parse_direction


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("later", "later"),
        ("Phase 1: set-up", "phase-1-set-up"),
        ("none", UNTIERED),
        ("-", UNTIERED),
        ("!", UNTIERED),
        ("", UNTIERED),
    ],
)
def test_a_tier_is_a_name_and_nothing_is_none(text: str, expected: str) -> None:
    direction = parse_direction(f"### Task 1 - A\n**Tier**: {text}\n**What**: x\n", agent="a")
    assert direction.tasks[0].tier == expected
    assert direction.problems == ()
