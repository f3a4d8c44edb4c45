"""What a task's Budget says."""

from __future__ import annotations

import pytest

from callboard.bus.task import OwnCaps
from callboard.directions.parse import parse_direction


def budget_of(text: str) -> OwnCaps:
    (task,) = parse_direction(f"### Task 1 - A\n**Budget**: {text}\n", agent="a").tasks
    return task.budget


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3 attempts", OwnCaps(attempts=3)),
        ("200k tokens", OwnCaps(tokens=200_000)),
        ("1.5M tokens", OwnCaps(tokens=1_500_000)),
        ("200,000 tokens", OwnCaps(tokens=200_000)),
        ("$2.50", OwnCaps(micro_usd=2_500_000)),
        ("2 USD", OwnCaps(micro_usd=2_000_000)),
        ("1 h", OwnCaps(minutes=60)),
        ("20-30 min", OwnCaps(minutes=30)),
        ("2 attempts, 10,000 tokens; $1, 5 min", OwnCaps(attempts=2, tokens=10_000, micro_usd=1_000_000, minutes=5)),
    ],
)
def test_a_budget_names_attempts_tokens_money_and_time(text: str, expected: OwnCaps) -> None:
    assert budget_of(text) == expected


@pytest.mark.parametrize("text", ["lots", "0 tokens", "$0", "-5 min", "3 apples", "0.2 tokens"])
def test_what_is_no_budget_is_reported_and_not_guessed(text: str) -> None:
    direction = parse_direction(f"### Task 1 - A\n**Budget**: {text}\n", agent="a")
    assert direction.tasks[0].budget == OwnCaps()
    assert "understood as nothing" in direction.problems[0].message


def test_another_budget_is_another_text_of_the_task() -> None:
    first, second = (
        parse_direction(f"### Task 1 - A\n**Budget**: {text}\n", agent="a").tasks[0].digest for text in ("$1", "$2")
    )
    assert first != second
