"""Evidence whose direction demands a tool: what counts is what the runtime wrote down."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from workshop import ENV, NOON, PIN, Workshop, write

from callboard.agents.brains.call_file import CallFile, tools_called
from callboard.agents.brains.calls import ToolRecord
from callboard.agents.manager.decision import TOOLS_RULE, Policy
from callboard.agents.manager.gate import Gate
from callboard.agents.manager.intake import IntakeRules
from callboard.agents.workspace.sandbox import OFF
from callboard.agents.workspace.setup import Setup
from callboard.agents.workspace.slots import GateSlots
from callboard.bus.messages import Draft, GateFinished, GateRequested, new_id
from callboard.bus.task import TaskSpec


class Gatehouse:
    """The gate, a commit that was handed in, and the attempt's call log."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        clone = shop.prepared()
        write(clone.path, {"new.py": "x = 1\n"})
        self.commit = shop.hand_in(clone)

    def log(self, attempt: int = 1) -> Path:
        return self.shop.layout.call_log("r1", "T-1", attempt, "driver-1")

    def called(self, name: str, *, ok: bool = True, attempt: int = 1) -> None:
        at = datetime(2026, 11, 21, tzinfo=UTC)
        record = ToolRecord(digest="", name=name, arguments={}, result="fly__status", ok=ok, duration_s=1.0, at=at)
        log = CallFile(self.log(attempt))
        while log.left:
            log.next_tool("")
        log.append(record)

    def judge(self, *tools: str, purpose: str = "evidence") -> GateFinished:
        shop = self.shop
        slots = GateSlots(shop.layout, shop.repository, 1, Setup(), lambda _: ENV, lambda *_: OFF)
        gate = Gate(
            "r1",
            shop.layout,
            shop.repository,
            slots,
            Policy(gate=("true",)),
            IntakeRules(),
            30,
            called=lambda task, attempt, agent: tools_called(self.log(attempt)),
        )
        spec = TaskSpec(key="driver-1/x", title="x", agent="driver-1")
        request = GateRequested.model_validate(
            {
                "purpose": purpose,
                "spec": spec,
                "agent": "driver-1",
                "base": shop.head,
                "commit": self.commit,
                "tools": tools,
            }
        )
        message = Draft("gate", request, "T-1", 1).stamp(id=new_id(), run="r1", sender="manager", now=NOON)
        return asyncio.run(gate.judge(message, request))


@pytest.fixture
def house(workshop: Workshop) -> Gatehouse:
    return Gatehouse(workshop)


def test_a_call_with_success_in_this_attempt_is_what_counts(house: Gatehouse) -> None:
    house.called("run")
    house.called("fly__status", ok=False)
    house.called("fly__status", attempt=2)
    refused = house.judge("Fly")
    assert (refused.verdict, refused.rule, refused.path) == ("refused", TOOLS_RULE, "")
    assert "a successful call of `Fly` in the attempt that is handed in" in refused.reason
    assert "what was called with success is `run`: call it before you hand in" in refused.reason
    assert house.shop.repository.resolve(PIN) == house.commit
    house.called("fly__status")
    assert house.judge("Fly", "fly__status", "mcp").verdict == "green"


def test_what_nobody_recorded_was_not_called(house: Gatehouse) -> None:
    refused = house.judge("mcp")
    assert (refused.verdict, refused.rule) == ("refused", TOOLS_RULE)
    assert "nothing records the tools of driver-1: give it a model and the server in callboard.toml" in refused.reason
    assert house.judge().verdict == "green"
