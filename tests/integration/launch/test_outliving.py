"""What is deployed outlives the launch that deployed it, and nothing else does."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from roster import until

from callboard.agents.deployment import detach
from callboard.agents.workspace.guard import spared
from callboard.launch.children import Child, Starter, kill
from callboard.launch.forks import ForkServer
from callboard.launch.spawning import Spawner

SERVER = """
import os, sys
from callboard.launch.fork_server import serve
os.execv("/bin/sh", ["/bin/sh", *serve(int(sys.argv[1]), ())])
"""
ENV = {"PATH": "/usr/bin:/bin"}


def starter(folder: Path, kind: str) -> Starter:
    if kind == "spawned":
        return Spawner(("/bin/sh",), ENV, folder)
    return ForkServer((sys.executable, "-c", SERVER), ENV, folder, folder / "fork-server.log")


def detached(record: Path, seconds: int) -> str:
    words = [sys.executable, "-I", "-S", detach.__file__, "--record", str(record), "--output", "out", "--guard", "-"]
    return " ".join([*words, "--grace", "1", "--", "sleep", str(seconds)])


async def none(name: str, reason: str) -> None:
    raise AssertionError((name, reason))


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(("kind", "end"), [("spawned", "guard killed by hand"), ("forked", "stopped")])
def test_a_process_on_record_lives_on_and_any_other_that_was_detached_dies(tmp_path: Path, kind: str, end: str) -> None:
    deployed, elsewhere = tmp_path / ".callboard/deploy", tmp_path / "elsewhere"
    for folder in (deployed, elsewhere):
        (folder / "production/running").mkdir(parents=True)
    records = [folder / "production/running/r-1" for folder in (deployed, elsewhere)]
    script = "; ".join([*(detached(record, 4711) for record in records), "echo ready; sleep 4711"])
    log = tmp_path / "log"

    def is_ready() -> bool:
        return log.exists() and "ready" in log.read_text()

    async def scenario() -> None:
        starts = starter(tmp_path, kind)
        if end == "stopped":
            child = Child("deployer", starts, ("-c", script), log, none)
            running = asyncio.create_task(child.run())
            await asyncio.to_thread(until, is_ready)
            await child.stop(30.0)
            await running
        else:
            process = await starts.start(("-c", script), log)
            await asyncio.to_thread(until, is_ready)
            kill(process)
            await process.wait()
            process.end()
        if isinstance(starts, ForkServer):
            await starts.close()

    try:
        asyncio.run(scenario())
        # a signal was sent; the kernel may take a moment
        until(lambda: not any(map(is_alive, spared(str(elsewhere)))))
        [pid] = spared(str(deployed))
        assert is_alive(pid)
    finally:
        for each in (*spared(str(deployed)), *spared(str(elsewhere))):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(each).send_signal(signal.SIGKILL)
