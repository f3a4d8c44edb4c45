from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
import redis
from handlers import message, progress
from servers import PACKAGED, Server
from waiting import Connect, Go

from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.errors import BusUnavailable
from callboard.bus.messages import Outcome
from callboard.bus.server import EmbeddedServer


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, for sockets."""
    with tempfile.TemporaryDirectory(prefix="cb-") as name:
        yield Path(name) / "bus"


async def until(so: Callable[[], bool]) -> None:
    """For what nothing tells of: a count in this process, the end of another."""
    async with asyncio.timeout(300):
        while not so():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def test_everything_survives_a_stop_and_a_start(folder: Path, connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        first = EmbeddedServer(folder)
        bus = await connect(await first.start())
        for name in "abc":
            await bus.send(message(name), sender="manager")
        done, held = await bus.inbox("driver-1", "driver-1.here.1").receive(2)
        await done.commit(Outcome(messages=(progress(),), changes=(Change("agent:x", AgentDoc(version=1)),)))
        await held.reject("no")
        before = (await bus.board(), await bus.dead(), [entry async for entry in bus.journal()])
        await first.stop()
        assert not first.alive

        second = EmbeddedServer(folder)
        assert await second.start() == first.url
        again = await connect(second.url)
        assert (await again.board(), await again.dead(), [entry async for entry in again.journal()]) == before
        assert await again.backlog(["driver-1", "manager"]) == {"driver-1": 1, "manager": 1}
        await second.stop()

    go(scenario())


def test_kill_9_under_load_loses_nothing_that_was_accepted_and_doubles_nothing(
    folder: Path, connect: Connect, go: Go
) -> None:
    """T4: a producer and a consumer at work; the server dies three times and is started again on the same socket."""
    accepted: list[str] = []
    handled: list[str] = []

    async def produce(bus: Bus, stop: asyncio.Event) -> None:
        while not stop.is_set():
            accepted.append((await bus.send(message(str(len(accepted))), sender="manager")).id)

    async def consume(bus: Bus, stop: asyncio.Event) -> None:
        inbox = bus.inbox("driver-1", "driver-1.here.1")
        while True:
            found = [*await inbox.receive(16, block_s=0.1), *await inbox.take_over(idle_s=1000)]
            for delivery in found:
                await delivery.commit(Outcome(messages=(progress(delivery.envelope.id),)))
                handled.append(delivery.envelope.id)
            if stop.is_set() and not found:
                return

    def is_past(goal: int) -> bool:
        return len(handled) >= goal

    async def scenario() -> None:
        server = EmbeddedServer(folder)
        producer, consumer = await connect(await server.start()), await connect(server.url)
        stop, all_is_sent = asyncio.Event(), asyncio.Event()
        producing = asyncio.create_task(produce(producer, stop))
        consuming = asyncio.create_task(consume(consumer, all_is_sent))
        for goal in (30, 60, 90):
            await until(partial(is_past, goal))
            os.kill(server.pid, signal.SIGKILL)
            await until(lambda: not server.alive)
            await server.start()
        stop.set()
        await producing
        all_is_sent.set()
        await consuming
        assert sorted(handled) == sorted(accepted)
        told = await producer.inbox("manager", "manager.here.1").receive(10_000)
        assert len(told) == len(accepted)
        assert [entry.seq async for entry in producer.journal()] == list(range(1, 2 * len(accepted) + 1))
        await server.stop()

    go(scenario())


def test_its_folder_and_socket_are_for_this_user_alone(folder: Path, go: Go) -> None:
    async def scenario() -> None:
        server = EmbeddedServer(folder)
        await server.start()
        modes.extend(stat.S_IMODE(os.lstat(each).st_mode) for each in (folder, server.socket))
        await server.stop()

    modes = list[int]()
    go(scenario())
    assert modes == [0o700, 0o700]


def test_it_syncs_every_write_and_evicts_nothing(folder: Path, connect: Connect, go: Go) -> None:
    async def scenario() -> None:
        server = EmbeddedServer(folder)
        await server.start()
        look = redis.Redis.from_url(server.url, protocol=2, decode_responses=True)
        wanted = {
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
            "port": "0",
        }
        assert {name: look.config_get(name)[name] for name in wanted} == wanted
        look.close()
        await server.stop()

    go(scenario())


def test_a_deep_folder_gets_a_short_private_socket_while_it_runs(tmp_path: Path, connect: Connect, go: Go) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)

    async def scenario() -> None:
        server = EmbeddedServer(deep)
        assert server.socket == EmbeddedServer(deep).socket != EmbeddedServer(deep / "f").socket
        bus = await connect(await server.start())
        await bus.send(message("a"), sender="manager")
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        await server.stop()
        assert not server.socket.parent.exists()

    go(scenario())


def test_two_servers_never_work_on_one_folder(folder: Path, go: Go) -> None:
    async def scenario() -> None:
        first, second = EmbeddedServer(folder), EmbeddedServer(folder, lock_s=0.1)
        await first.start()
        with pytest.raises(BusUnavailable, match="another server already works on"):
            await second.start()
        assert not second.alive
        await first.stop()
        await second.start()
        await second.stop()

    go(scenario())


def test_a_socket_that_somebody_else_answers_is_left_to_them(folder: Path, go: Go) -> None:
    folder.mkdir(parents=True)
    theirs = Server(folder.parent, socket_name="bus/bus.sock")

    async def scenario() -> None:
        with pytest.raises(BusUnavailable, match=r"another server answers at .*bus.sock"):
            await EmbeddedServer(folder).start()

    go(scenario())
    assert theirs.process.poll() is None
    theirs.stop()


def test_the_socket_of_a_dead_server_is_taken(folder: Path, go: Go) -> None:
    folder.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "bus.sock"))

    async def scenario() -> None:
        server = EmbeddedServer(folder)
        await server.start()
        await server.stop()

    go(scenario())


def test_too_little_space_is_said_before_anything_is_started(folder: Path, go: Go) -> None:
    async def scenario() -> None:
        with pytest.raises(BusUnavailable, match=r"MB free for .* nothing is lost"):
            await EmbeddedServer(folder, least_free_bytes=1 << 60).start()

    go(scenario())


def test_a_server_that_ends_at_once_is_quoted(folder: Path, go: Go) -> None:
    folder.mkdir(parents=True)
    (folder / "appendonlydir").write_text("a file where the server wants a folder")

    async def scenario() -> None:
        server = EmbeddedServer(folder)
        with pytest.raises(
            BusUnavailable, match=r"ended at its start: .*appendonlydir|ended at its start: .*directory"
        ):
            await server.start()
        assert not server.alive
        (folder / "appendonlydir").unlink()
        await server.start()
        await server.stop()

    go(scenario())


def test_a_program_in_front_of_it_ends_it_when_its_starter_is_killed(folder: Path) -> None:
    """The starter is a process of its own; the program in front learns of its end from its stdin."""
    script = (
        "import asyncio, os, sys\n"
        "from pathlib import Path\n"
        "from callboard.agents.workspace.commands import guard_prefix\n"
        "from callboard.bus.server import EmbeddedServer\n"
        "async def main():\n"
        "    server = EmbeddedServer(Path(sys.argv[1]), prefix=guard_prefix())\n"
        "    await server.start()\n"
        "    print(server.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    starter = psutil.Popen([sys.executable, "-c", script, str(folder)], stdout=-1, stderr=-3)
    guard = psutil.Process(int(starter.stdout.readline()))
    family = [guard, *guard.children(recursive=True)]
    _, alive = psutil.wait_procs(family, timeout=0.5)
    assert len(alive) == 2
    starter.kill()
    starter.communicate()
    _, alive = psutil.wait_procs(family, timeout=300)
    assert alive == []


def test_it_goes_on_with_the_server_that_wrote_its_data(folder: Path, go: Go) -> None:
    """An older one on PATH cannot read what a newer one wrote."""
    wrapper = folder.parent / "my-server"
    wrapper.write_text(f'#!/bin/sh\nexec {PACKAGED} "$@"\n')
    wrapper.chmod(0o700)

    async def scenario() -> None:
        first = EmbeddedServer(folder, binary=wrapper)
        await first.start()
        await first.stop()
        second = EmbeddedServer(folder)
        await second.start()
        assert "my-server" in (folder / "server.binary").read_text()
        await second.stop()
        wrapper.unlink()
        third = EmbeddedServer(folder)
        await third.start()
        assert "my-server" not in (folder / "server.binary").read_text()
        await third.stop()

    go(scenario())


def test_a_start_that_is_broken_off_is_stopped_cleanly(folder: Path, go: Go) -> None:
    async def scenario() -> None:
        server = EmbeddedServer(folder)
        starting = asyncio.create_task(server.start())
        await until(lambda: server.alive)
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        await server.stop()
        assert not server.alive
        await server.start()
        await server.stop()

    go(scenario())


def test_who_starts_while_another_ends_still_has_a_folder_for_its_socket(folder: Path, go: Go) -> None:
    """Where the socket is not beside the data, who ends takes the folder of the socket away."""
    far = folder / ("deep" * 25)

    async def scenario() -> None:
        ending, starting = EmbeddedServer(far), EmbeddedServer(far, lock_s=300)
        await ending.start()
        assert ending.socket.parent != far
        start = asyncio.create_task(starting.start())
        await asyncio.sleep(0)  # it gets as far as the lock
        await ending.stop()
        await start
        await starting.stop()

    go(scenario())
