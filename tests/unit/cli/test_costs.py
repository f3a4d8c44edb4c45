"""What a run has cost, as people and scripts see it."""

from __future__ import annotations

import io

from boards import agent_doc, board_of, run_doc, task_doc
from rich.console import Console

from callboard.bus.board import Board, BudgetDoc
from callboard.bus.caps import OpenCall, Spent, SpentSeen, Worked
from callboard.bus.task import OwnCaps
from callboard.cli.lists import costs_table
from callboard.cli.news import news
from callboard.cli.view import render
from callboard.launch.cost_rows import costs
from callboard.launch.summarise import summarise

PAID = Spent(calls=3, input_tokens=900_000, output_tokens=100_000, cached_tokens=500_000, micro_usd=4_000_000)
UNPRICED = Spent(calls=1, input_tokens=50, output_tokens=5, unpriced=1)
SEEN = SpentSeen(
    spent={"run": PAID, "agent:driver-1": PAID, "task:T-1": PAID, "model:anthropic:x": PAID, "model:own": UNPRICED},
    open=(OpenCall(id="1", agent="driver-1", task="T-1", model="own", tokens=700, micro_usd=None),),
)


def board(**doc: object) -> Board:
    budget = BudgetDoc(version=1, worked={"run": Worked(minutes=12, attempts=2)}).model_copy(update=doc)
    docs = board_of(run_doc(), agent_doc("driver-1"), agent_doc("driver-2"), task_doc(1, "One", spent=1))
    return Board({**docs.docs, "budget": budget})


def printed(*what: object) -> str:
    out = Console(file=io.StringIO(), width=200, markup=False)
    out.print(*what)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_costs_are_told_by_run_agent_task_and_model() -> None:
    found = costs(board(), SEEN)
    assert [(row.scope, row.name) for row in found.rows] == [
        ("run", "run-1"),
        ("agent", "driver-1"),
        ("task", "T-1"),
        ("model", "anthropic:x"),
        ("model", "own"),
    ]
    run, _, task, model, own = found.rows
    assert (run.calls, run.input_tokens, run.output_tokens, run.cached_tokens, run.usd) == (
        3,
        900_000,
        100_000,
        500_000,
        4.0,
    )
    assert (run.open_calls, run.held_tokens) == (1, 700)
    assert [(cap.what, cap.used, cap.percent) for cap in run.caps] == [
        ("tokens", 1_000_000, 20),
        ("usd", 4, 16),
        ("minutes", 12, 10),
        ("attempts", 2, 0),
    ]
    assert [(cap.what, cap.used, cap.cap) for cap in task.caps] == [
        ("tokens", 1_000_000, 1_000_000),
        ("usd", 4, 5),
        ("minutes", 0, 60),
        ("attempts", 1, 3),
    ]
    assert model.caps == ()
    assert (own.usd, own.known_usd, own.unpriced_calls) == (None, 0, 1)


def test_a_tier_comes_before_the_agents_and_has_its_own_caps() -> None:
    seen = SpentSeen(spent={**SEEN.spent, "tier:later": PAID})
    rows = costs(board(), seen).rows
    assert [(row.scope, row.name) for row in rows][1:3] == [("tier", "later"), ("agent", "driver-1")]
    assert [(cap.what, cap.cap, cap.percent) for cap in rows[1].caps[:2]] == [
        ("tokens", 3_000_000, 33),
        ("usd", 15, 26),
    ]


def test_an_unknown_price_is_shown_as_unknown() -> None:
    text = printed(costs_table(costs(board(), SEEN).rows))
    assert "unknown" in next(line for line in text.splitlines() if " own " in line)
    assert "4.00" in next(line for line in text.splitlines() if "anthropic:x" in line)
    mixed = SpentSeen(spent={"run": PAID.model_copy(update={"unpriced": 1})})
    assert "4.00 + unknown" in printed(costs_table(costs(board(), mixed).rows))


def test_on_eighty_columns_each_row_of_the_costs_says_how_full_its_fullest_cap_is() -> None:
    out = Console(file=io.StringIO(), width=80, markup=False)
    out.print(
        costs_table(costs(board(), SpentSeen(spent={**SEEN.spent, "model:anthropic:claude-opus-4-5": PAID})).rows)
    )
    assert isinstance(out.file, io.StringIO)
    lines = out.file.getvalue().splitlines()
    assert next(line for line in lines if line.startswith("task")).endswith("100 % tokens, 80 % usd")
    assert next(line for line in lines if line.startswith("run")).rstrip().endswith("20 % tokens")


def test_the_live_view_has_the_running_total_on_one_line_of_eighty() -> None:
    out = Console(file=io.StringIO(), width=80, markup=False)
    out.print(render(summarise(board(), spent=SEEN), height=16))
    assert isinstance(out.file, io.StringIO)
    line = out.file.getvalue().splitlines()[1]
    assert line.split() == ["0", "of", "1", "done,", "1", "queued", "1M", "of", "5M", "tokens,", "$4.00", "of", "$25"]
    assert "tokens" not in printed(render(summarise(board()), height=16)), "nobody has looked yet"


def test_a_run_that_spent_nothing_has_its_caps_all_the_same() -> None:
    (run,) = costs(board_of(run_doc()), SpentSeen()).rows
    assert (run.calls, run.usd, [cap.cap for cap in run.caps]) == (0, 0, [5_000_000, 25, 120, 300])


def test_status_says_what_was_spent_of_what_may_be() -> None:
    raised = {"run": OwnCaps(tokens=1_100_000)}
    status = summarise(board(raised=raised), spent=SEEN)
    assert (status.spend.tokens, status.spend.usd, status.spend.minutes) == (1_000_000, 4.0, 12)
    assert status.spend.caps == {"tokens": 1_100_000, "usd": 25, "minutes": 120, "attempts": 300}
    assert "spent 1,000,000 of 1,100,000 tokens, 4.00 of 25.00 USD, 12 of 120 minutes" in printed(render(status))


def test_where_nobody_looked_spend_is_unknown_and_not_nothing() -> None:
    spend = summarise(board()).spend
    assert (spend.tokens, spend.usd) == (None, None)
    unpriced = summarise(board(), spent=SpentSeen(spent={"run": UNPRICED})).spend
    assert (unpriced.tokens, unpriced.usd) == (55, None)
    mixed = SpentSeen(spent={"run": PAID.model_copy(update={"unpriced": 1})})
    assert "4.00 + unknown of 25.00 USD" in printed(render(summarise(board(), spent=mixed)))


def test_the_notice_is_news_once_for_each_cap() -> None:
    told = board(noticed={"agent:driver-1 usd": 15_000_000})
    assert news(board(), told) == ["driver-1 has used 80 % of its budget of 15.00 USD"]
    assert news(told, told) == []
