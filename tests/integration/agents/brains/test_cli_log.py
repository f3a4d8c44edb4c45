"""The call log of agent CLIs, with real processes that play Claude Code."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest
from brain_jobs import Lines
from cli_jobs import Purse, cli_log, install, said, seated, seated_review, used

from callboard.agents.brains.brain import Done
from callboard.agents.brains.budget import Reservation, Usage
from callboard.agents.brains.cli.adapters import ADAPTERS
from callboard.agents.brains.cli.brain import CliBrain, CliSettings
from callboard.agents.brains.prices import Price, Prices
from callboard.agents.brains.talk import Step, Talk, steps, total
from callboard.bus.errors import BrainParked, BudgetSpent

SECRET = "correct-horse-battery-staple"
PRICES = Prices({"anthropic:claude-opus-4-8": Price(*(Decimal(2), Decimal(10), Decimal(1), Decimal(2)))})


def brain(purse: Purse) -> CliBrain:
    return CliBrain(
        ADAPTERS["claude"],
        CliSettings(),
        purse,
        cli_log,
        prices=PRICES,
        redact=lambda text: text.replace(SECRET, "[redacted:key]"),
    )


class Dying(Purse):
    """Of a process that is killed between its log and the bus, each time."""

    def __init__(self, purse: Purse) -> None:
        super().__init__()
        self.reserve = purse.reserve  # type: ignore[method-assign]

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        return None


def given(message: str, text: str, *, is_error: bool = False) -> str:
    """What a tool that `used` asked for gave back."""
    block = {"type": "tool_result", "tool_use_id": f"tool-{message}", "content": text, "is_error": is_error}
    return json.dumps({"type": "user", "message": {"role": "user", "content": [block]}})


def played(place: Path, *lines: str, more: str = "") -> None:
    install(place / "bin", "claude", "".join(f"print({line!r}, flush=True)\n" for line in lines) + more)


def logged(place: Path) -> tuple[Step, ...]:
    return steps(Talk(place / "calls.jsonl", "T-7", 1, "driver-1", ""))


def sums(place: Path, purse: Purse) -> None:
    """The transcript says what was paid, to the token."""
    every = total(logged(place))
    assert (every.input_tokens, every.output_tokens) == (purse.spent.input_tokens, purse.spent.output_tokens)
    assert every.text == f"{purse.calls} calls"


def test_a_session_reads_as_a_conversation_with_a_model_does(tmp_path: Path) -> None:
    job, purse = seated(tmp_path), Purse()
    first = used("a", input_tokens=900, output_tokens=10)
    last = said("It is there.", input_tokens=2000, output_tokens=70)
    played(tmp_path, first, given("a", f"wrote {SECRET}", is_error=True), last)
    assert asyncio.run(brain(purse).work(job, Lines())) == Done("It is there.")
    prompt, call, tool, rest, end, exit = logged(tmp_path)
    assert "T-7 Add a /health endpoint" in prompt.text
    assert (call.kind, call.name, call.calls) == ("call", "anthropic:claude-opus-4-8", ("Bash step a",))
    assert (call.input_tokens, call.output_tokens, call.usd) == (900, 10, Decimal("0.0019"))
    assert (tool.kind, tool.name, tool.text, tool.ok) == ("tool", "Bash", "wrote [redacted:key]", False)
    assert (rest.kind, rest.input_tokens) == ("call", 1100)
    assert (end.name, end.text, end.ok, exit.name, exit.text) == ("end", "It is there.", True, "exit", "exited 0")
    assert SECRET not in (tmp_path / "calls.jsonl").read_text()
    sums(tmp_path, purse)


def test_a_review_is_recorded_too(tmp_path: Path) -> None:
    job, purse = seated_review(tmp_path), Purse()
    played(tmp_path, said('{"vote": "approved", "findings": []}', input_tokens=500, output_tokens=7))
    asyncio.run(brain(purse).review(job))
    assert "+x = 1" in logged(tmp_path)[0].text
    sums(tmp_path, purse)


def test_one_that_is_stopped_says_so_and_keeps_what_it_used(tmp_path: Path) -> None:
    job, purse = seated(tmp_path), Purse(cap=60_000)
    played(tmp_path, used("a", input_tokens=40_000, output_tokens=100), more="import time\ntime.sleep(600)")
    with pytest.raises(BudgetSpent):
        asyncio.run(brain(purse).work(job, Lines()))
    assert [(step.name, step.text) for step in logged(tmp_path)[-1:]] == [("exit", "stopped")]
    sums(tmp_path, purse)


def test_one_that_fails_says_why(tmp_path: Path) -> None:
    job = seated_review(tmp_path)
    line = {"type": "result", "subtype": "success", "is_error": True, "api_error_status": 429, "result": "slow down"}
    played(tmp_path, json.dumps(line), more="raise SystemExit(1)")
    with pytest.raises(BrainParked):
        asyncio.run(brain(Purse()).review(job))
    end, exit = logged(tmp_path)[-2:]
    assert (end.name, end.text, end.ok, exit.text) == ("end", "slow down", False, "exited 1")


def test_what_a_killed_process_had_written_down_is_settled_by_the_next(tmp_path: Path) -> None:
    job, purse = seated(tmp_path), Purse()
    played(tmp_path, used("a", input_tokens=900, output_tokens=10), said("ok", input_tokens=900, output_tokens=10))

    asyncio.run(brain(Dying(purse)).work(job, Lines()))
    assert purse.spent.tokens == 0
    asyncio.run(brain(purse).work(job, Lines()))
    assert purse.spent.tokens == 2 * 910
    assert len([step for step in logged(tmp_path) if step.name == "prompt"]) == 2
    sums(tmp_path, purse)
