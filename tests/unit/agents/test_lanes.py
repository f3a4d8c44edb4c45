from __future__ import annotations

import asyncio

from callboard.agents.lanes import Lanes


def test_a_lane_is_worked_on_in_order_and_lanes_side_by_side() -> None:
    began = list[str]()
    lanes = Lanes[str](began.append)
    for item in ("a1", "a2", "a3", "b1"):
        lanes.put(item[0], item)
    assert began == ["a1", "b1"]
    lanes.ended("a")
    assert began == ["a1", "b1", "a2"]
    lanes.ended("b")
    lanes.put("b", "b2")
    assert began == ["a1", "b1", "a2", "b2"]


def test_closed_lanes_begin_nothing_and_give_back_what_waits() -> None:
    began = list[str]()
    lanes = Lanes[str](began.append)
    for item in ("a1", "a2", "a3"):
        lanes.put("a", item)
    lanes.close()
    lanes.put("b", "b1")
    lanes.ended("a")
    assert lanes.empty() == ["a2", "a3", "b1"]
    assert lanes.empty() == []
    assert began == ["a1"]


def test_whoever_waits_for_room_hears_of_an_end() -> None:
    async def scenario() -> None:
        lanes = Lanes[str](lambda item: None)
        lanes.put("a", "a1")
        waiting = asyncio.create_task(lanes.finished_one(3_600))
        await asyncio.sleep(0)
        lanes.ended("a")
        await waiting
        await lanes.finished_one(0)

    asyncio.run(scenario())
