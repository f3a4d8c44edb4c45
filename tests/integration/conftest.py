"""A real server for every test below.

- `server_url`: one server per test process (so per xdist worker), over a unix socket; it keeps nothing on disk.
- `run`: a run id that no other test has, so that tests never meet.
- `go`: runs a coroutine to its end; all calls in one test share one event loop.
- `connect`: `await connect()` gives another Bus of this test's run; `await connect(url)` one on another server.
  They are closed after the test.
- `bus`: a Bus of this test's run, connected.

    def test_a_sent_message_is_received(bus: Bus, go: Go) -> None:
        async def scenario() -> None:
            await bus.send(Draft("driver-1", TaskCancelled(reason="test")), sender="manager")
            [delivery] = await bus.inbox("driver-1", "driver-1.host.1").receive()
            await delivery.commit(Outcome())

        go(scenario())
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers import IN_MEMORY, Server
from waiting import Connect, Go

from callboard.bus.bus import Bus


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The server behind `server_url`. Do not kill it: start a Server of your own for that."""
    # Not pytest's tmp_path: a socket's path must be short.
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        running = Server(Path(folder), *IN_MEMORY)
        yield running
        running.stop()


@pytest.fixture(scope="session")
def server_url(server: Server) -> str:
    return server.url


@pytest.fixture
def run() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def go(runner: asyncio.Runner) -> Go:
    return runner.run


@pytest.fixture
def connect(server_url: str, run: str, runner: asyncio.Runner) -> Iterator[Connect]:
    buses: list[Bus] = []

    async def connect(url: str = "", *, patience_s: float = 60.0) -> Bus:
        buses.append(await Bus.connect(url or server_url, run, patience_s=patience_s))
        return buses[-1]

    yield connect
    for bus in buses:
        runner.run(bus.close())


@pytest.fixture
def bus(connect: Connect, go: Go) -> Bus:
    return go(connect())
