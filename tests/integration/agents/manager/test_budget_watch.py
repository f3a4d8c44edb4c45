"""What calls cost reaches the desk of a real manager, and a person's answer reaches the next reservation."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from waiting import Connect, Go

from callboard.agents.brains.budget import CallEstimate, Usage
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.run_budget import RunBudget
from callboard.agents.manager.budget_watch import BudgetWatch
from callboard.agents.manager.decision import MANAGER, Policy
from callboard.agents.manager.office import DeskHandler, Office
from callboard.agents.runtime import Runtime
from callboard.bus.board import Board, RunDoc
from callboard.bus.bus import Bus
from callboard.bus.caps import Caps, Limits, task_scope
from callboard.bus.errors import BudgetSpent
from callboard.bus.messages import (
    AgentStarted,
    CommandGiven,
    DirectionFile,
    DirectionsRead,
    Draft,
    RosterChanged,
)
from callboard.bus.task import Briefing, TaskSpec

CAPS = Caps(tokens=1_000, micro_usd=10**9, minutes=100, attempts=100)
LIMITS = Limits(run=CAPS, task=CAPS, agent=CAPS)
CALL = CallEstimate("T-1", "m", 300, 100)


async def board_where(bus: Bus, what: Callable[[Board], object]) -> Board:
    """The first board of which something is true."""
    async with asyncio.timeout(300):
        async for _ in bus.journal(follow=True):
            board = await bus.board()
            if what(board):
                return board
    raise AssertionError


async def launched(bus: Bus) -> None:
    """A run with one task in the hands of driver-1."""
    base = "a" * 40
    await bus.create_run(RunDoc(version=1, id=bus.run, base=base, head=base, created_at=datetime.now(UTC)))
    spec = TaskSpec(key="driver-1/one", title="one", agent="driver-1")
    file = DirectionFile(briefing=Briefing(agent="driver-1", version="1"), tasks=(spec,))
    roster = {"manager": "manager", "driver-1": "driver"}
    await bus.send(Draft(MANAGER, RosterChanged(agents=roster, limits=LIMITS)), sender="launcher")
    await bus.send(Draft(MANAGER, AgentStarted(role="driver", pid=1, host="h")), sender="driver-1")
    await bus.send(Draft(MANAGER, DirectionsRead(files=(file,))), sender=MANAGER)


def test_a_run_is_told_asked_and_raised(connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        bus, other = await connect(), await connect()
        stop = asyncio.Event()
        office = Office(bus, "manager.here.1", on_lost=stop.set)
        await office.enter()
        handler = DeskHandler(bus, office, Policy(gate=("true",)), lambda: datetime.now(UTC))
        runtime = Runtime(bus, {MANAGER: handler}, "manager.here.1", may_send=lambda *_: True, handler_timeout_s=60)
        budget = RunBudget(other, "driver-1", Prices())
        async with asyncio.TaskGroup() as group:
            group.create_task(runtime.run(stop))
            group.create_task(BudgetWatch(bus, look_every_s=0.01, minute_s=0.05).run(stop))
            await launched(bus)
            await board_where(other, lambda board: board.task("T-1").version and board.task("T-1").agent)
            for _ in range(2):
                await budget.settle(await budget.reserve(CALL), Usage(300, 110))
            told = await board_where(other, lambda board: "run tokens" in board.budget.noticed)
            assert told.run.state == "running"
            await budget.settle(await budget.reserve(CALL), Usage(300, 110))
            asked = await board_where(other, lambda board: board.run.state == "paused")
            assert {"run", task_scope("T-1"), "agent:driver-1"} == set(asked.budget.exhausted)
            with pytest.raises(BudgetSpent):
                await budget.reserve(CALL)
            for known in asked.budget.exhausted.values():
                answer = CommandGiven(command="answer", question=known.question, text="5k")
                await bus.send(Draft(MANAGER, answer), sender="person")
            await board_where(other, lambda board: board.run.state == "running" and not board.budget.exhausted)
            await budget.reserve(CALL)
            await board_where(other, lambda board: any(each.minutes > 1 for each in board.budget.worked.values()))
            stop.set()

    go(scenario())
