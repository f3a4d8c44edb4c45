"""When a launch has nothing left to do although something waits that nobody can read."""

from __future__ import annotations

import pytest
from handlers import message
from servers import Server
from waiting import Go

from callboard.bus.board import AgentDoc, Board, Change, RunDoc
from callboard.bus.bus import Bus
from callboard.launch.quiet import is_quiet, is_settled


@pytest.mark.parametrize(("old", "new"), [("task.cancelled", "task.invented"), ('"version":1', '"version":99')])
def test_a_message_of_an_unknown_kind_holds_up_no_end_and_is_a_dead_letter_then(
    server: Server, bus: Bus, go: Go, old: str, new: str
) -> None:
    agents = {"agent:driver-1": AgentDoc(version=1, name="driver-1", role="driver")}
    at_work = Board({**agents, "run": RunDoc(version=1, state="created")})
    ended = Board({**agents, "run": RunDoc(version=1, state="succeeded")})

    async def scenario() -> None:
        sent = await bus.send(message("known"), sender="manager")
        server.ask("XADD", bus.keys.inbox("driver-1"), "*", "m", sent.encode().replace(old, new))
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive(10)
        await delivery.release()
        assert not await is_quiet(bus, at_work)
        assert await bus.dead() == []
        assert not await is_quiet(bus, ended)
        [letter] = await bus.dead()
        assert (letter.reason, letter.inbox, letter.failures) == ("unknown kind", "driver-1", 0)
        # what can be read is left to the agent
        assert await bus.backlog(["driver-1"]) == {"driver-1": 1}
        [again] = await bus.inbox("driver-1", "driver-1.here.1").take_over(idle_s=15)
        assert not await is_quiet(bus, at_work)
        assert await is_quiet(bus, at_work, ["driver-1"]), "what one from outside has not heard holds up nothing"
        await again.reject("nobody needs it")
        assert await is_quiet(bus, ended)

    go(scenario())


def test_what_has_changed_since_its_board_was_read_has_to_be_seen_before_a_run_has_ended(bus: Bus, go: Go) -> None:
    async def scenario() -> None:
        driver = AgentDoc(version=1, name="driver-1", role="driver")
        succeeded = RunDoc(version=1, state="succeeded")
        await bus.change([Change("run", succeeded), Change("agent:driver-1", driver)], sender="manager")
        before = await bus.board()
        assert await is_settled(bus, before)
        await bus.change([Change("run", RunDoc(version=2, state="running"))], sender="manager")
        assert not await is_settled(bus, before)
        after = await bus.board()
        assert await is_settled(bus, after)
        await bus.send(message("known"), sender="manager")
        assert not await is_settled(bus, after)

    go(scenario())
