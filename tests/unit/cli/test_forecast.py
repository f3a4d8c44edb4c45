"""What open tasks may cost, guessed before anything is spent."""

from __future__ import annotations

from decimal import Decimal

from boards import board_of, run_doc, task_doc

from callboard.agents.brains.prices import Price, Prices
from callboard.bus.board import Board, BudgetDoc, TaskState
from callboard.bus.caps import Caps, Limits
from callboard.cli.forecast import CALL, CALLS, REVIEW, Forecast, Thinker, forecast, told

DOLLAR = Price(*[Decimal(1)] * 4)
DRIVER, OTHER = Thinker("driver-1", "driver", "m"), Thinker("driver-2", "driver", "m")
SENIOR = Thinker("senior", "reviewer", "m")
TASKS = board_of(
    run_doc(),
    task_doc(1, "One"),
    task_doc(2, "Two", estimate_minutes=(2, 5)),
    task_doc(3, "Done", TaskState.DONE),
    task_doc(4, "Watch", standing=True),
    task_doc(5, "Theirs", agent="driver-2"),
)


def guessed(*thinkers: Thinker, prices: Prices | None = None, board: Board = TASKS) -> Forecast:
    return forecast(board, thinkers, prices or Prices({"m": DOLLAR}))


def test_a_driver_calls_once_a_minute_of_its_own_open_tasks() -> None:
    found = guessed(DRIVER, OTHER)
    assert [guess.tokens for guess in found.agents] == [(CALLS + 5) * CALL.tokens, CALLS * CALL.tokens]
    assert found.usd == found.tokens / 1_000_000


def test_a_reviewer_judges_every_open_task() -> None:
    (guess,) = guessed(SENIOR).agents
    assert guess.tokens == 3 * REVIEW.tokens


def test_an_unknown_price_makes_the_sum_unknown() -> None:
    found = guessed(DRIVER, Thinker("senior", "reviewer", ""))
    assert [guess.usd is None for guess in found.agents] == [False, True]
    assert found.usd is None
    text = "\n".join(told(found))
    assert "price unknown (cap 25.00 USD)" in text
    assert "senior: 40,500 tokens, price unknown (unknown model)" in text


def test_it_says_what_it_assumes_and_when_that_is_too_much() -> None:
    small = Caps(tokens=1_000, micro_usd=1_000, minutes=1, attempts=1)
    board = Board({**TASKS.docs, "budget": BudgetDoc(version=1, limits=Limits(run=small))})
    lines = told(guessed(DRIVER, board=board))
    assert "more than the run may use" in lines[2]
    assert f"{CALLS} without one" in lines[3]
    assert not any("more than" in line for line in told(guessed(DRIVER)))


def test_a_tier_is_guessed_as_its_share_and_held_against_its_own_cap() -> None:
    board = Board({**TASKS.docs, **board_of(task_doc(1, "One", tier="later")).docs})
    [tier] = guessed(DRIVER, SENIOR, board=board).tiers
    assert (tier.tier, tier.tokens) == ("later", CALLS * CALL.tokens + REVIEW.tokens)
    small = BudgetDoc(version=1, limits=Limits(tier=Caps(tokens=1_000, micro_usd=1, minutes=1, attempts=1)))
    lines = told(guessed(DRIVER, board=Board({**board.docs, "budget": small})))
    assert "  tier later: 314,000 of 1,000 tokens, 0.31 USD (cap 0.00 USD); that is more than it may use" in lines


def test_where_nobody_pays_nothing_is_guessed() -> None:
    assert told(guessed()) == []
    assert told(guessed(DRIVER, board=board_of(run_doc()))) == []
