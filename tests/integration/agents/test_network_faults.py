"""The loop when the network between it and its server is cut, or goes dead without a word (fault T12)."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from handlers import Scripted, progress
from handlers import message as named
from loguru import logger
from networks import Network
from runtimes import running
from servers import IN_MEMORY, Server, free_port
from waiting import Connect, Go

from callboard.agents.runtime import BLOCK_S, Work
from callboard.bus.bus import Bus
from callboard.bus.link import SOCKET_TIMEOUT_S
from callboard.bus.messages import Outcome

EACH = 20
NOTICED_S = BLOCK_S + SOCKET_TIMEOUT_S
PROGRESS_S = 10.0


@pytest.fixture(scope="module")
def tcp_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        server = Server(Path(folder), *IN_MEMORY, port=free_port())
        yield server
        server.stop()


async def answer(work: Work) -> Outcome:
    return Outcome(messages=(progress(work.envelope.task),))


async def fill(bus: Bus, part: str) -> list[str]:
    names = [f"{part}-{n}" for n in range(EACH)]
    for name in names:
        await bus.send(named(name), sender="manager")
    return names


async def answers(bus: Bus) -> list[str]:
    found = await bus.inbox("manager", "manager.test.1").receive(1_000, block_s=0)
    return sorted(each.envelope.task for each in found)


def test_work_goes_on_after_a_cut_and_each_message_counts_once(tcp_server: Server, connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        direct, handler = await connect(tcp_server.url), Scripted(answer)
        async with Network(tcp_server.port) as network:
            bus = await connect(network.url)
            async with running(bus, handler):
                names = await fill(direct, "before")
                network.cut()
                names += await fill(direct, "during")
                network.heal()
                names += await fill(direct, "after")
                await handler.until(lambda: set(names) <= set(handler.ended))
            assert await answers(direct) == sorted(names)
            assert await direct.backlog(["driver-1"]) == {"driver-1": 0}

    go(scenario())


@pytest.mark.long
@pytest.mark.parametrize("fault", ["cut", "fall_silent"])
def test_a_fault_of_seconds_is_noticed_and_work_goes_on_soon_after(
    tcp_server: Server, connect: Connect, go: Go, seed: int, fault: str
) -> None:
    """How long both take is printed; a busy machine may take longer, so only whether it happens is asserted."""
    # each drawn up to the minute of faults.md would fill two minutes with waiting
    chosen = random.Random(f"{seed} {fault}").uniform(1, 60 if fault == "cut" else 20)

    async def scenario() -> None:
        direct, handler, noticed = await connect(tcp_server.url), Scripted(answer), asyncio.Event()
        sink = logger.add(lambda line: noticed.set(), filter=lambda record: "server lost" in record["message"])
        async with Network(tcp_server.port) as network:
            bus = await connect(network.url, patience_s=3_600)
            async with running(bus, handler):
                names = await fill(direct, "before")
                await handler.until(lambda: set(names) <= set(handler.ended))
                began = time.monotonic()
                getattr(network, fault)()
                names += await fill(direct, "during")
                await noticed.wait()
                noticed_s = time.monotonic() - began
                await asyncio.sleep(max(0.0, chosen - noticed_s))
                assert not [name for name in handler.began if name.startswith("during")]
                healed = time.monotonic()
                network.heal()
                await handler.until(lambda: any(name.startswith("during") for name in handler.began))
                progress_s = time.monotonic() - healed
                await handler.until(lambda: set(names) <= set(handler.ended))
            logger.remove(sink)
            assert await answers(direct) == sorted(names)
        print(
            f"{fault} of {time.monotonic() - began:.1f} s: noticed after {noticed_s:.1f} s (wanted < {NOTICED_S:g} s), "
            f"progress {progress_s:.1f} s after healing (wanted < {PROGRESS_S:g} s)"
        )

    go(scenario())
