"""An agent CLI and its budget."""

from __future__ import annotations

import asyncio

import pytest
from cli_jobs import Purse
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.brains.budget import Usage
from callboard.agents.brains.cli.adapter import Report
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.meter import Meter, priced_as
from callboard.bus.errors import BudgetSpent


def played(purse: Purse, *reports: Report, ends: bool = True) -> Meter:
    meter = Meter(purse, "T-1", "claude")

    async def play() -> None:
        await meter.begin("x" * 3000)
        for report in reports:
            await meter.report(report)
        if ends:
            await meter.end()

    asyncio.run(play())
    return meter


def test_each_report_is_settled_and_the_next_call_reserved_with_what_it_will_send() -> None:
    purse = Purse()
    played(purse, Report(Usage(5_000, 100), "opus"), Report(Usage(6_000, 50), "opus"))
    assert purse.spent == Usage(11_000, 150)
    guessed, answered, second, third = purse.asked
    assert (guessed.model, guessed.input_tokens) == ("claude", 26_000)
    assert (answered.model, answered.tokens) == ("opus", 5_100)
    assert [(call.model, call.input_tokens) for call in (second, third)] == [("opus", 5_100), ("opus", 6_050)]
    assert not purse.open


def test_a_message_that_grows_is_counted_once() -> None:
    purse = Purse()
    played(purse, *(Report(Usage(100, output), message="m") for output in (1, 1, 20)))
    assert purse.spent == Usage(100, 20)


def test_a_total_adds_what_was_not_reported_before() -> None:
    purse = Purse()
    meter = played(purse, Report(Usage(100, 1), message="m"), Report(Usage(300, 40), is_total=True))
    assert meter.is_complete
    assert purse.spent == Usage(300, 40)
    assert not purse.open


def test_what_is_not_known_stays_reserved() -> None:
    purse = Purse()
    played(purse, Report(Usage(100, 1)), ends=False)
    assert len(purse.open) == 1


def test_it_is_stopped_at_the_first_report_that_leaves_no_room() -> None:
    purse = Purse(cap=100_000)
    with pytest.raises(BudgetSpent):
        played(purse, Report(Usage(60_000, 10)), Report(Usage(70_000, 10)))
    assert purse.spent == Usage(60_000, 10)


USAGES = st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5))
REPORTS = st.builds(Report, USAGES, st.just("m"), st.sampled_from(["", "a", "b"]), st.booleans())


@given(st.lists(REPORTS, max_size=8))
def test_nothing_is_ever_given_back(reports: list[Report]) -> None:
    purse = Purse()
    played(purse, *reports)
    totals = [report.usage.input_tokens for report in reports]
    assert purse.spent.input_tokens >= max(totals, default=0)
    assert not purse.open


def test_what_was_used_is_counted_also_where_there_is_no_room_for_the_model_that_answered() -> None:
    purse = Purse(cap=45_000)
    with pytest.raises(BudgetSpent):
        played(purse, Report(Usage(40_000, 10), "opus"))
    assert purse.spent == Usage(40_000, 10)


@pytest.mark.parametrize(
    ("cli", "model", "is_own_server", "name"),
    [
        ("claude", "claude-opus-4-8", False, "anthropic:claude-opus-4-8"),
        ("claude", "claude-opus-4-8", True, "claude-opus-4-8"),
        ("claude", "", False, "claude"),
        ("codex", "gpt-5", False, "openai:gpt-5"),
        ("opencode", "anthropic/claude-opus-4-5", False, "anthropic:claude-opus-4-5"),
        ("aider", "sonnet", False, "sonnet"),
    ],
)
def test_a_model_is_named_as_prices_have_it(cli: str, model: str, is_own_server: bool, name: str) -> None:
    assert priced_as(ADAPTERS[cli], model, is_own_server=is_own_server) == name
