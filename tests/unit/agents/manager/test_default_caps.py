"""The caps that hold where callboard.toml says nothing, one below, at and one above each."""

from __future__ import annotations

import pytest
from desk_board import Desk, spec

from callboard.bus.caps import Reached
from callboard.bus.messages import BudgetReached, MinutePassed
from callboard.bus.task import OwnCaps


def working() -> Desk:
    desk = Desk()
    desk.directions(spec("one", tier="setup", budget={"minutes": 999}))
    desk.accept("T-1")
    return desk


def spend(desk: Desk, scope: str, tokens: int) -> None:
    desk.hear(BudgetReached(reached=(Reached(scope=scope, what="tokens", used=tokens, cap=1),)), "manager")


@pytest.mark.parametrize(("tokens", "state"), [(4_999_999, "running"), (5_000_000, "paused"), (5_000_001, "paused")])
def test_a_run_may_use_five_million_tokens(tokens: int, state: str) -> None:
    desk = working()
    spend(desk, "run", tokens)
    assert desk.run.state == state


@pytest.mark.parametrize(
    ("tokens", "asked"), [(2_999_999, []), (3_000_000, ["tier:setup"]), (3_000_001, ["tier:setup"])]
)
def test_a_tier_may_use_three_million_tokens(tokens: int, asked: list[str]) -> None:
    desk = working()
    spend(desk, "tier:setup", tokens)
    assert list(desk.board.budget.exhausted) == asked


@pytest.mark.parametrize(("minutes", "state"), [(119, "running"), (120, "paused"), (121, "paused")])
def test_a_run_may_take_a_hundred_and_twenty_minutes(minutes: int, state: str) -> None:
    desk = working()
    for _ in range(minutes):
        desk.hear(MinutePassed(), "manager")
    assert desk.run.state == state


def test_what_a_task_is_known_by_does_not_change_with_what_the_program_reads_off_its_fields() -> None:
    task = spec("one", fields={"Category": "bulk"})
    read = task.model_copy(update={"category": "bulk_change", "budget": OwnCaps(gate_runs=1)})
    assert read.digest == task.digest, "what landed before the program knew categories is done still"
