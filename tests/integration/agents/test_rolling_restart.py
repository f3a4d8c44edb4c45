"""Two versions side by side, while one process after the other is replaced (fault T17)."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from handlers import Scripted, message, progress
from runtimes import committed, running
from servers import Server
from waiting import Go

from callboard.agents.runtime import Work
from callboard.bus.bus import Bus
from callboard.bus.messages import Outcome

PROGRAM = Path(__file__).parents[2] / "support" / "newer_process.py"
EACH = 5
"""Messages of each of the three sorts that the newer program sends."""


async def newer(bus: Bus, name: str, *words: str) -> asyncio.subprocess.Process:
    argv = [sys.executable, str(PROGRAM), bus.url, bus.run, name, *words]
    return await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.DEVNULL)


async def answer(work: Work) -> Outcome:
    return Outcome(messages=(progress(f"{work.envelope.task} by the older one"),))


async def told(bus: Bus) -> dict[str, str]:
    """Task -> who handled it; each once."""
    found = await bus.inbox("manager", "manager.here.1").receive(1_000, block_s=0)
    texts = [str(getattr(each.envelope.body, "doing", "")).partition(" by the ") for each in found]
    assert len({task for task, _, _ in texts}) == len(texts)
    return {task: who for task, _, who in texts}


def test_nothing_is_lost_or_dead_while_two_versions_are_mixed(bus: Bus, server: Server, go: Go) -> None:
    """The newer program sends to the older: what the older cannot read waits for its successor, all else is handled. Then the
    older sends to the newer, and the newer to the newer."""

    async def scenario() -> None:
        handler = Scripted(answer)
        async with running(bus, handler, consumer="driver-1.here.older"):
            sender = await newer(bus, "driver-2", "send", "driver-1", str(EACH))
            assert await sender.wait() == 0
            await committed(bus, EACH)
        assert await bus.dead() == []
        assert await bus.backlog(["driver-1"]) == {"driver-1": 2 * EACH}
        readable = [entry.unread async for entry in bus.journal() if entry.step == "send"]
        assert [len(each) for each in readable].count(1) == 2 * EACH
        await bus.send(message("from-the-older"), sender="manager")

        # the delay for which they are left is over
        for field in server.ask("HKEYS", bus.keys.held):
            server.ask("HSET", bus.keys.held, field, "p0")
        successor = await newer(bus, "driver-1", "work")
        await committed(bus, 3 * EACH + 1)
        successor.send_signal(signal.SIGTERM)
        assert await successor.wait() == 0

        assert await bus.dead() == []
        assert await bus.backlog(["driver-1"]) == {"driver-1": 0}
        expected = {f"more-{n}": "older one" for n in range(EACH)} | {"from-the-older": "newer one"}
        expected |= {f"{name}-{n}": "newer one" for n in range(EACH) for name in ("weather", "anew")}
        assert await told(bus) == expected

    go(scenario())
