"""A direction that demands a tool: what the gate is asked for, and what becomes of evidence without it."""

from __future__ import annotations

from desk_board import Desk, sha, spec

from callboard.bus.messages import DirectionFile, DirectionsRead, GateRequested, HandInRefused, TaskAssigned
from callboard.bus.task import Briefing


def test_evidence_without_a_call_that_is_demanded_comes_back_with_its_work() -> None:
    desk = Desk()
    desk.directions(spec("one", tools=("fly__verify",)))
    (asked,) = desk.hand_in("T-1").to("gate")
    assert isinstance(asked, GateRequested)
    assert asked.tools == ("fly__verify",)
    heard = desk.gate("T-1", "refused", rule="tools", reason="call it")
    assert heard.one(HandInRefused) == HandInRefused(rule="tools", path="", way_out="call it")
    body = heard.one(TaskAssigned)
    assert (body.start, body.base) == (sha("T-1 work"), sha("base"))
    assert body.notes[0].text == "intake refused it (rule tools): call it"
    assert desk.task("T-1").spent == 1


def test_the_rules_of_a_direction_demand_of_each_of_its_tasks() -> None:
    desk = Desk()
    briefing = Briefing(agent="driver-1", version="1", path="directions/driver-1.md", tools=("mcp",))
    one = spec("one", tools=("fly",))
    desk.hear(DirectionsRead(files=(DirectionFile(briefing=briefing, tasks=(one,)),)), "manager")
    (asked,) = desk.hand_in("T-1").to("gate")
    assert isinstance(asked, GateRequested)
    assert asked.tools == ("fly", "mcp")
