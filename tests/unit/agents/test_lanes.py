from __future__ import annotations

import asyncio

from callboard.agents.lanes import Lanes


def test_a_lane_is_worked_on_in_order_and_lanes_side_by_side() -> None:
    seen: list[str] = []
    gates = {name: asyncio.Event() for name in ("a1", "a2", "b1")}

    async def work(item: str) -> None:
        seen.append(f"{item} begins")
        await gates[item].wait()
        seen.append(f"{item} ends")

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            lanes = Lanes[str](group, work)
            for item in gates:
                lanes.put(item[0], item)
            await asyncio.sleep(0)
            assert seen == ["a1 begins", "b1 begins"]
            gates["a1"].set()
            await lanes.finished_one(5)
            gates["b1"].set()
            gates["a2"].set()

    asyncio.run(scenario())
    assert seen[2:4] == ["a1 ends", "a2 begins"]
    assert sorted(seen[4:]) == ["a2 ends", "b1 ends"]


def test_closed_lanes_begin_nothing_and_give_back_what_waits() -> None:
    began: list[str] = []
    gate = asyncio.Event()

    async def work(item: str) -> None:
        began.append(item)
        await gate.wait()

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            lanes = Lanes[str](group, work)
            for item in ("a1", "a2", "a3"):
                lanes.put("a", item)
            await asyncio.sleep(0)
            lanes.close()
            lanes.put("b", "b1")
            gate.set()
            await lanes.end(5)
            assert lanes.empty() == ["a2", "a3", "b1"]
            assert lanes.count == 0

    asyncio.run(scenario())
    assert began == ["a1"]


def test_what_outlasts_the_grace_is_cancelled_and_may_clean_up() -> None:
    cleaned: list[str] = []

    async def work(item: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            cleaned.append(item)

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            lanes = Lanes[str](group, work)
            lanes.put("a", "a1")
            lanes.put("b", "b1")
            await asyncio.sleep(0)
            lanes.close()
            await lanes.end(0.01)
            assert sorted(cleaned) == ["a1", "b1"]

    asyncio.run(scenario())
