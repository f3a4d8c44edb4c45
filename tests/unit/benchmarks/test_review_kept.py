"""What a benchmark that asks models has got so far outlives it, killed at any moment."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from benchmarks.review.changes import Case, read_cases
from benchmarks.review.kept import Kept, Ledger
from benchmarks.review.trio import Reviewed

from callboard.agents.brains.budget import CallEstimate, Usage
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.purse import Purse
from callboard.bus.caps import Caps
from callboard.bus.errors import BudgetSpent
from callboard.bus.reviews import Standing, Verdict
from callboard.bus.task import Finding

CALL = CallEstimate("T-1", "nobody:model", 100, 50)


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return read_cases()[:2]


def opened(folder: Path) -> Kept:
    return Kept.open(folder / "review.kept", {"config": "a"})


def ledger(folder: Path, tokens: int = 1_000) -> Ledger:
    return opened(folder).ledger(Purse("a test", Caps(tokens=tokens, micro_usd=10**9, minutes=0, attempts=0), Prices()))


def test_what_was_judged_is_read_back_without_the_line_that_a_kill_tore(
    tmp_path: Path, cases: tuple[Case, ...]
) -> None:
    flaw = Finding(severity="major", file="a.py", line=3, quote="é", dropped="its quote is not there")
    verdict = Verdict(vote="needs_revision", findings=(flaw,), notes="two\nlines")
    said = [
        Reviewed(case, "major_flaws", (Standing(id="F-1", by=("senior",), finding=flaw),), {"senior": verdict}, True)
        for case in cases
    ]
    for it in said:
        opened(tmp_path).add(it)
    path = tmp_path / "review.kept/done.jsonl"
    path.write_bytes(path.read_bytes()[:-9])
    assert opened(tmp_path).reviewed(cases) == {cases[0].id: said[0]}
    opened(tmp_path).add(said[1])
    assert opened(tmp_path).reviewed(cases) == {it.case.id: it for it in said}


def test_the_folder_of_other_reviewers_is_refused(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(ValueError, match="holds a run of other changes or reviewers"):
        Kept.open(tmp_path / "review.kept", {"config": "b"})


def test_what_was_held_back_and_paid_counts_after_a_kill(tmp_path: Path) -> None:
    first = ledger(tmp_path)
    paid, killed = asyncio.run(first.reserve(CALL)), asyncio.run(first.reserve(CALL))
    asyncio.run(first.settle(paid, Usage(60, 20)))
    again = ledger(tmp_path)
    assert (again.spent.calls, again.spent.tokens, again.purse.held) == (1, 80, {killed.id: CALL})
    with pytest.raises(BudgetSpent):
        asyncio.run(ledger(tmp_path, tokens=230).reserve(CALL))
    # its reply was recorded before the kill: found in the call log, it is counted once
    for _ in range(2):
        asyncio.run(again.settle(killed, Usage(70, 30)))
    assert ledger(tmp_path).spent.tokens == again.spent.tokens == 180
