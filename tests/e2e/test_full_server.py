"""A server of one's own that is full while a roster works: it is said, nothing is lost, and work goes on when there is room."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from clusters import until
from roster import Workspace, task
from servers import Server, free_port

from callboard.app import Workspace as Opened
from callboard.bus.board import Board
from callboard.bus.caps import SpentSeen
from callboard.launch.launcher import Launcher
from callboard.launch.options import LaunchOptions

Make = Callable[..., Workspace]

pytestmark = pytest.mark.long


@dataclass
class Seen:
    """A view that remembers, and wakes who waits for a word."""

    events: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    def board(self, board: Board) -> None:
        if any(each.attempt for each in board.tasks()):
            self.began.set()

    def spent(self, seen: SpentSeen) -> None:
        """Nobody pays here."""

    def event(self, text: str) -> None:
        self.events.append(text)
        self.changed.set()

    def close(self) -> None:
        """Nothing to put away."""

    async def until(self, words: str) -> str:
        while not (found := [text for text in self.events if words in text]):
            self.changed.clear()
            await self.changed.wait()
        return found[0]


def test_a_full_server_is_said_everywhere_and_work_goes_on_when_there_is_room(
    workspace: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace()
    made.init({"driver-1": "".join(task(f"{n} - Write {n}", Writes=f"{n}.txt", Takes="1") for n in range(3))})

    async def scenario(server: Server) -> None:
        seen = Seen()
        launcher = Launcher(Opened.open(made.path, os.environ), LaunchOptions(), seen, lambda: 10**10)
        launched = asyncio.create_task(launcher.run())
        await seen.began.wait()
        server.ask("CONFIG", "SET", "maxmemory", "1")
        await seen.until("the bus's server is full")
        said = await asyncio.to_thread(made.call, "assign", "driver-1", "More")
        assert said.returncode == 1
        assert "the server has reached its maxmemory and nothing was written; give it more memory" in said.stderr
        status = json.loads((await asyncio.to_thread(made.call, "status", "--json")).stdout)
        assert len(status["full"]) == 1
        assert "raise its maxmemory" in (await asyncio.to_thread(made.call, "status")).stdout
        # an agent that comes while there is no room cannot even say so, and waits instead of dying again and again
        [pid] = [agent["pid"] for agent in status["agents"] if agent["name"] == "driver-1"]
        os.kill(pid, signal.SIGKILL)
        log = made.path / ".callboard/logs/driver-1.log"
        await asyncio.to_thread(until, lambda: "no room, trying again" in log.read_text() or launched.done())
        assert not [text for text in seen.events if " is down" in text]
        assert not launched.done()
        server.ask("CONFIG", "SET", "maxmemory", "0")
        await seen.until("the bus's server has room again")
        assert await launched == 0
        assert sum("is full" in text for text in seen.events) == 1
        assert not [text for text in seen.events if " is down" in text]

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), port=free_port())
        monkeypatch.setenv("CALLBOARD_BUS_URL", server.url)
        try:
            asyncio.run(scenario(server))
        finally:
            server.stop()
    assert {f"{n}.txt" for n in range(3)} <= set(made.files(made.integration()))
