"""Runs in a cluster: each is on one node, is found from any, and is followed when it goes to another one."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from clusters import Cluster
from handlers import Scripted, message, progress
from runtimes import committed, running
from servers import Server, binaries
from waiting import Connect, Go

from callboard.agents.runtime import Work
from callboard.bus.bus import Bus
from callboard.bus.errors import LeaseLost
from callboard.bus.lease import LeaseKeeper
from callboard.bus.messages import Outcome


@pytest.fixture(scope="module", params=binaries(), ids=lambda path: path.name)
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        made = Cluster(Path(folder), request.param)
        yield made
        made.stop()


async def answer(work: Work) -> Outcome:
    return Outcome(messages=(progress(work.envelope.task),))


async def nothing_waits(bus: Bus) -> None:
    async for _ in bus.journal(follow=True):
        if not (await bus.backlog(["driver-1"]))["driver-1"]:
            return


async def names(bus: Bus) -> list[str]:
    """What the manager was told."""
    found = await bus.inbox("manager", "manager.test.1").receive(1_000, block_s=0)
    return [each.envelope.task for each in found]


def test_a_run_is_found_from_every_node_and_is_whole_on_one(cluster: Cluster, run: str, go: Go) -> None:
    async def scenario() -> None:
        for n, node in enumerate(cluster.nodes[:3]):
            async with await Bus.connect(node.url, run) as bus:
                await bus.send(message(f"from-{n}"), sender="manager")
                [delivery] = await bus.inbox("driver-1", f"driver-1.here.{n}").receive()
                await delivery.commit(Outcome(messages=(progress(),)))
                assert await bus.seq() == 2 * (n + 1)

    go(scenario())
    has = cluster.keys(run)
    assert [bool(count) for count in has].count(True) == 1
    assert has[cluster.nodes.index(cluster.owner(run))] > 3


def test_work_goes_on_while_the_run_moves_to_another_node(cluster: Cluster, run: str, connect: Connect, go: Go) -> None:
    owner = cluster.owner(run)
    other = cluster.nodes[0] if owner is not cluster.nodes[0] else cluster.nodes[1]

    async def scenario() -> None:
        bus, producer = await connect(owner.url), await connect(owner.url)
        handler = Scripted(answer)
        async with running(bus, handler):
            moving = asyncio.create_task(asyncio.to_thread(cluster.move, run, owner, other))
            for n in range(40):
                await producer.send(message(f"m-{n}"), sender="manager")
            await moving
            await producer.send(message("last"), sender="manager")
            await committed(bus, 41)
        assert sorted(await names(producer)) == sorted([*(f"m-{n}" for n in range(40)), "last"])
        assert bus.url.rpartition("/")[0] == other.url.rpartition("/")[0]

    go(scenario())


def test_a_lease_is_renewed_where_the_run_has_gone(cluster: Cluster, run: str, connect: Connect, go: Go) -> None:
    owner = cluster.owner(run)
    other = cluster.nodes[0] if owner is not cluster.nodes[0] else cluster.nodes[1]
    lost: list[object] = []

    async def scenario() -> None:
        bus = await connect(owner.url)
        await bus.send(message("a"), sender="manager")
        [delivery] = await bus.inbox("driver-1", "driver-1.here.1").receive()
        keeper = LeaseKeeper(lambda: bus.url, bus.keys, on_lost=lost.append)
        keeper.hold(delivery.entry)
        await asyncio.to_thread(cluster.move, run, owner, other)
        await bus.seq()
        await asyncio.to_thread(keeper.renew)
        assert not lost
        await delivery.commit(Outcome())
        await asyncio.to_thread(keeper.renew)
        assert lost
        with pytest.raises(LeaseLost):
            await delivery.emit(progress())

    go(scenario())


def test_a_replica_that_takes_over_has_what_was_accepted_and_work_goes_on_there(
    run: str, connect: Connect, go: Go
) -> None:
    """Its primary is killed under producers and a reader; what was confirmed is there, and each is handled once."""

    async def scenario(cluster: Cluster) -> None:
        owner = cluster.owner(run)
        replicas = [cluster.add_replica(owner) for _ in range(2)]
        # any other node may be asked first
        bus = await connect(f"{cluster.nodes[0].url}?wait_replicas=1")
        producer = await connect(f"{cluster.nodes[0].url}?wait_replicas=1")
        handler = Scripted(answer)
        async with running(bus, handler):
            for n in range(20):
                await producer.send(message(f"m-{n}"), sender="manager")
            owner.kill()
            best = max(replicas, key=offset)
            best.ask("CLUSTER", "FAILOVER", "TAKEOVER")
            for n in range(20, 40):
                await producer.send(message(f"m-{n}"), sender="manager")
            await handler.until(lambda: {f"m-{n}" for n in range(40)} <= set(handler.ended))
            await nothing_waits(producer)
        assert sorted(await names(producer)) == sorted(f"m-{n}" for n in range(40))

    with tempfile.TemporaryDirectory(prefix="cb-") as folder:
        cluster = Cluster(Path(folder))
        go(scenario(cluster))
        cluster.stop()


def offset(replica: Server) -> int:
    """How much of what its primary wrote a replica has."""
    rows = dict(line.split(":", 1) for line in replica.ask("INFO", "replication").decode().splitlines() if ":" in line)
    return int(rows["slave_repl_offset"])
