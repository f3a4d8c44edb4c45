"""`wait_replicas`: what was accepted is on a replica; and what becomes of a run without it (fault T5)."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from clusters import replica_of
from handlers import message, progress
from networks import Network
from runtimes import committed
from servers import IN_MEMORY, Server, binaries, free_port
from waiting import Connect, Go

from callboard.bus.archive import FileArchive
from callboard.bus.archiver import Archiver
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError, NotReplicated
from callboard.bus.messages import Outcome
from callboard.cli.redis_mode import ask_mode

WAIT = "?wait_replicas=1"
FILLER = 1_000_000
FILLERS = 24
"""24 MB of other data, more than the sockets between two servers hold."""
MANY = 50


@dataclass(frozen=True)
class Pair:
    primary: Server
    replica: Server


@contextmanager
def a_pair(binary: Path) -> Iterator[Pair]:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        first, second = Path(folder) / "1", Path(folder) / "2"
        first.mkdir()
        second.mkdir()
        primary = Server(first, *IN_MEMORY, port=free_port(), binary=binary)
        both = Pair(primary, replica_of(primary, second, binary))
        yield both
        both.replica.go_on()
        both.replica.stop()
        both.primary.stop()


@pytest.fixture(scope="module", params=binaries(), ids=lambda path: path.name)
def lasting_pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with a_pair(request.param) as both:
        yield both


@pytest.fixture
def pair(lasting_pair: Pair) -> Iterator[Pair]:
    """The primary outlives every test; the replica may be paused."""
    yield lasting_pair
    lasting_pair.replica.go_on()


@pytest.fixture(params=binaries(), ids=lambda path: path.name)
def mortal_pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with a_pair(request.param) as both:
        yield both


def test_what_a_replica_has_confirmed_is_on_it(pair: Pair, connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        bus = await connect(f"{pair.primary.url}{WAIT}")
        for n in range(20):
            await bus.send(message(f"{n}"), sender="manager")
            assert pair.replica.ask("XLEN", bus.keys.inbox("driver-1")) == n + 1

    go(scenario())


def test_a_sender_hears_that_no_replica_has_it_and_its_repeat_neither_doubles_nor_is_believed_too_soon(
    pair: Pair, connect: Connect, go: Go
) -> None:
    async def scenario() -> None:
        url = f"{pair.primary.url}{WAIT}"
        pair.replica.pause()
        for _ in range(2):  # on a new connection, which has itself written nothing that it could wait for
            bus = await connect(url, patience_s=0.0)
            with pytest.raises(NotReplicated, match=r"0 of 1 replicas had confirmed it.*callboard doctor"):
                await bus.send(message("a"), sender="person", idempotency_key="k")
        assert await bus.backlog(["driver-1"]) == {"driver-1": 1}
        pair.replica.go_on()
        await (await connect(url)).send(message("a"), sender="person", idempotency_key="k")
        assert pair.replica.ask("XLEN", bus.keys.inbox("driver-1")) == 1

    go(scenario())


def test_the_doctor_reads_the_replicas_of_a_server(pair: Pair, go: Go) -> None:
    mode = go(ask_mode(f"{pair.primary.url}{WAIT}"))
    assert (mode.role, mode.wait_replicas, mode.append_only) == ("master", 1, "no")
    assert [(each.address, each.state) for each in mode.replicas] == [(f"127.0.0.1:{pair.replica.port}", "online")]
    assert go(ask_mode(pair.replica.url)).role == "slave"


def test_a_commit_that_no_replica_has_is_repeated_until_one_has_it_and_counts_once(
    pair: Pair, connect: Connect, go: Go
) -> None:
    async def scenario() -> None:
        bus, look = await connect(f"{pair.primary.url}{WAIT}"), await connect(pair.primary.url)
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        pair.replica.pause()
        committing = asyncio.create_task(delivery.commit(Outcome(messages=(progress("done"),))))
        await committed(look, 1)
        # it is written, and its caller does not know yet that it may go on
        for _ in range(20):
            assert await look.backlog(["driver-1", "manager"]) == {"driver-1": 0, "manager": 1}
        assert not committing.done()
        pair.replica.go_on()
        await committing
        assert await look.backlog(["manager"]) == {"manager": 1}
        assert [each.step async for each in look.journal()] == ["send", "commit"]
        assert pair.replica.ask("XLEN", bus.keys.inbox("manager")) == 1

    go(scenario())


def test_a_stalled_replica_is_promoted(mortal_pair: Pair, connect: Connect, go: Go, tmp_path: Path) -> None:
    """The primary is killed with 24 MB that its replica never read. Who waits for replicas was told, and loses nothing of what
    was accepted; who does not wait loses some, and the archiver says so and brings it back."""
    said = list[str]()

    async def scenario(network: Network) -> None:
        careful, careless = await connect(f"{network.url}{WAIT}", patience_s=0.0), await connect(network.url)
        accepted = [f"careful-{n}" for n in range(20) if await careful.send(message(f"careful-{n}"), sender="manager")]
        mortal_pair.replica.pause()
        for n in range(FILLERS):
            mortal_pair.primary.ask("SET", f"filler-{n}", b"x" * FILLER)
        for n in range(MANY):
            await careless.send(message(f"careless-{n}"), sender="manager")
        with pytest.raises(NotReplicated):
            await careful.send(message("careful-20"), sender="manager")
        archive = FileArchive(tmp_path)
        archiver = Archiver(careless.store, archive, inboxes=("driver-1",), say=said.append)
        while await archiver.step():
            pass
        mortal_pair.primary.kill()
        mortal_pair.replica.go_on()
        mortal_pair.replica.ask("REPLICAOF", "NO", "ONE")
        network.lead_to(mortal_pair.replica.port)

        found = await tasks(careless)
        assert set(accepted) <= found
        lost = {f"careless-{n}" for n in range(MANY)} - found
        assert lost, "the replica had read everything: the fault was not brought about"
        while await archiver.step():
            pass
        assert len(said) == 1
        assert "the server had lost everything: restored from the archive" in said[0]
        assert {*accepted, *(f"careless-{n}" for n in range(MANY))} <= await tasks(careless)
        with pytest.raises(BusError):  # there is no replica any more
            await careful.send(message("later"), sender="manager")

    async def with_network() -> None:
        async with Network(mortal_pair.primary.port) as network:
            await scenario(network)

    go(with_network())


async def tasks(bus: Bus) -> set[str]:
    """What is in the inbox."""
    state = await bus.store.whole(["driver-1"])
    return {json.loads(each.raw)["task"] for each in state.inboxes["driver-1"].values()}
