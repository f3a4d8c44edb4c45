"""kill -9 of a driver that thinks with a model: no recorded call is paid for again, and the work is the same."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import model_driver_process
import psutil
import pytest
from agent_world import World
from driver_process import AGENT
from model_faults import Hang, Reply
from model_server import ModelServer
from model_wire import Asked, Say, ToolCall
from roster import HANG_S

from callboard.agents.brains.call_file import read_records
from callboard.agents.brains.calls import CallRecord
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, EvidenceSubmitted, Outcome, TaskAssigned
from callboard.bus.task import Briefing, TaskSpec

Go = Callable[[Awaitable[object]], None]
KILLED_IN_CALLS = (2, 4)
"""At which of the model's turns the process dies while the call is under way; once each."""


class Script:
    """Five turns; the process is killed in the second, in the third's tool, and in the fourth."""

    def __init__(self, marker: Path) -> None:
        self.hung: list[int] = []
        once = f"echo ran >> log.txt; test -e {marker} || {{ touch {marker}; sleep 300; }}"
        self._turns = (
            ToolCall("write", {"path": "new.py", "text": "x = 1\n"}),
            ToolCall("edit", {"path": "new.py", "old": "1", "new": "2"}),
            ToolCall("run", {"command": once}),
            ToolCall("run", {"command": "cat new.py log.txt"}),
            ToolCall("done", {"notes": "It is there."}),
        )

    def hangs(self, turn: int) -> Callable[[], bool]:
        return lambda: turn in self.hung

    def __call__(self, asked: Asked) -> Reply:
        turn = len(asked.results) + 1
        if turn in KILLED_IN_CALLS and turn not in self.hung:
            self.hung.append(turn)
            return Hang()
        return Say("I go on.", calls=(self._turns[turn - 1],))


@contextmanager
def killed_at_the_end(argv: list[str], env: dict[str, str]) -> Iterator[None]:
    """A process that gets no chance to tidy up; what it started ends with it."""
    process = psutil.Popen(argv, env=env)
    try:
        yield
    finally:
        tree = process.children(recursive=True)
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(tree, timeout=HANG_S)
        assert not alive


@pytest.mark.long
def test_a_driver_killed_three_times_pays_only_for_the_calls_that_were_under_way(
    bus: Bus, go: Go, server_url: str, tmp_path: Path
) -> None:
    world = World(tmp_path / "repo", {"app.py": "x = 1\n"})
    marker = tmp_path / "in-a-tool"
    script = Script(marker)
    spec = TaskSpec(key="driver-1/new", title="Add new.py", agent=AGENT, checks=("test -f new.py",))
    body = TaskAssigned(spec=spec, briefing=Briefing(agent=AGENT, version=""), base=world.base, start=world.base)

    async def until(moment: Callable[[], bool]) -> None:
        async with asyncio.timeout(HANG_S):
            while not moment():  # noqa: ASYNC110 - another process brings it about
                await asyncio.sleep(0.02)

    async def evidence() -> None:
        inbox = bus.inbox("manager", "manager.host.1")
        async with asyncio.timeout(HANG_S):
            while True:
                for delivery in await inbox.receive(block_s=0.2):
                    await delivery.commit(Outcome())
                    if isinstance(found := delivery.envelope.body, EvidenceSubmitted):
                        assert set(found.files) == {"new.py", "log.txt"}
                        return

    with ModelServer(script) as server:
        argv = [sys.executable, model_driver_process.__file__, server_url, bus.run, str(world.root), server.url]
        env = {**os.environ, "PYTHONPATH": str(Path(model_driver_process.__file__).parent)}
        go(bus.send(Draft(AGENT, body, "T-1", 1), sender="manager"))
        for moment in (script.hangs(2), marker.exists, script.hangs(4)):
            with killed_at_the_end(argv, env):
                go(until(moment))
        with killed_at_the_end(argv, env):
            go(evidence())
        requests, spent = server.requests, server.tokens
    assert script.hung == list(KILLED_IN_CALLS)
    log = world.layout.call_log("r1", "T-1", 1, AGENT)
    calls = [record for record in read_records(log) if isinstance(record, CallRecord)]
    assert len(calls) == 5
    assert requests == len(calls) + len(KILLED_IN_CALLS)
    assert sum(record.input_tokens for record in calls) == spent.input

    async def settled() -> None:
        seen = await bus.spending.seen()
        assert (seen.of("run").calls, seen.of("run").input_tokens) == (5, spent.input)
        assert len(seen.open) == len(KILLED_IN_CALLS)

    go(settled())
