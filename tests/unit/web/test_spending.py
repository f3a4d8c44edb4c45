"""What the page on costs shows: the numbers of `callboard costs`, in the order of what they cost."""

from __future__ import annotations

from decimal import Decimal

from boards import agent_doc, board_of, run_doc

from callboard.bus.caps import Spent, SpentSeen
from callboard.launch.cost_rows import costs
from callboard.web.dashboard.spending import cost_lists

SEEN = SpentSeen(
    spent={
        "run": Spent(calls=4, input_tokens=900, output_tokens=100, micro_usd=1_234_567, unpriced=1),
        "agent:driver-1": Spent(calls=1, input_tokens=100, output_tokens=50, micro_usd=234_567),
        "agent:driver-2": Spent(calls=3, input_tokens=800, output_tokens=50, micro_usd=1_000_000, unpriced=1),
        "model:opus": Spent(calls=4, input_tokens=900, output_tokens=100, micro_usd=1_234_567, unpriced=1),
    }
)
BOARD = board_of(run_doc(), agent_doc("driver-1"), agent_doc("driver-2"))


def test_the_dearest_stands_first_and_its_bar_is_whole() -> None:
    whole, [agents, models] = cost_lists(BOARD, SEEN)
    assert whole is not None
    assert whole.usd == Decimal("1.234567")
    assert [one.row.name for one in agents.rows] == ["driver-2", "driver-1"]
    assert [(one.usd_part, one.tokens_part) for one in agents.rows] == [(100.0, 100.0), (23.5, 17.6)]
    assert [one.row.name for one in models.rows] == ["opus"]


def test_the_numbers_are_those_of_the_command() -> None:
    whole, lists = cost_lists(BOARD, SEEN)
    shown = [one.row for found in lists for one in found.rows] + ([whole.row] if whole else [])
    assert sorted(shown, key=lambda row: row.name) == sorted(costs(BOARD, SEEN).rows, key=lambda row: row.name)


def test_a_price_that_nobody_knows_is_never_nothing() -> None:
    _, [agents, _] = cost_lists(BOARD, SEEN)
    assert [one.said for one in agents.rows] == ["$1.00 and unknown", "$0.23"]
    unknown = SpentSeen(spent={"agent:driver-1": Spent(calls=1, input_tokens=5, unpriced=1)})
    assert [one.said for found in cost_lists(BOARD, unknown)[1] for one in found.rows] == ["unknown"]
