"""The roster's processes, with real ones: started again, given up, stopped, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest
from roster import until

from callboard.launch.children import Child

SETTLED_S = 20.0


def running(mark: str) -> list[psutil.Process]:
    """Processes whose command line holds `mark`, guards apart."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(mark in word for word in words) and not any("guard.py" in word for word in words):
            found.append(process)
    return found


class Ward:
    """One child, and what was said about it."""

    def __init__(self, tmp_path: Path, script: str) -> None:
        self.mark = uuid.uuid4().hex
        self.down: list[tuple[str, str]] = []
        self.log = tmp_path / "logs/driver-1.log"
        argv: Sequence[str] = ("/bin/sh", "-c", f"{script}\n: {self.mark}")
        env = {"PATH": os.environ["PATH"]}
        self.child = Child("driver-1", argv, env, tmp_path, self.log, self._on_down)

    async def _on_down(self, name: str, reason: str) -> None:
        self.down.append((name, reason))

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    async def until_said(self, text: str) -> None:
        async with asyncio.timeout(SETTLED_S):
            while text not in self.said:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)


@pytest.fixture
def ward(tmp_path: Path) -> Callable[[str], Ward]:
    return lambda script: Ward(tmp_path, script)


def test_five_deaths_in_a_minute_are_down_and_it_is_said_once(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here; exit 7")
    asyncio.run(made.child.run())
    assert made.said == "here\n" * 5
    [(name, reason)] = made.down
    assert name == "driver-1"
    assert reason == f"it died 5 times within a minute (exit code 7); see {made.log}"
    assert made.child.pid == 0


def test_one_that_was_killed_is_started_again(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here; sleep 1000")

    async def scenario() -> None:
        task = asyncio.create_task(made.child.run())
        await made.until_said("here\n")
        for process in running(made.mark):
            process.kill()
        await made.until_said("here\nhere\n")
        await made.child.stop(5.0)
        await task

    asyncio.run(scenario())
    assert made.down == []
    assert running(made.mark) == []


def test_a_stop_lets_it_end_in_its_own_order(ward: Callable[[str], Ward]) -> None:
    made = ward("trap 'echo good night; exit 0' TERM; echo here; while :; do sleep 0.05; done")

    async def scenario() -> None:
        task = asyncio.create_task(made.child.run())
        await made.until_said("here\n")
        await made.child.stop(10.0)
        await task

    asyncio.run(scenario())
    assert made.said == "here\ngood night\n"
    assert running(made.mark) == []


def test_one_that_does_not_stop_is_ended_with_all_it_started(ward: Callable[[str], Ward]) -> None:
    made = ward("trap '' TERM; (setsid sh -c 'trap \"\" TERM; sleep 1000' &); echo here; while :; do sleep 0.05; done")

    async def scenario() -> None:
        task = asyncio.create_task(made.child.run())
        await made.until_said("here\n")
        assert len(running(made.mark)) > 0
        await made.child.stop(0.1)
        await task

    asyncio.run(scenario())
    assert running(made.mark) == []


def test_a_stop_while_it_is_only_being_started_is_not_missed(ward: Callable[[str], Ward]) -> None:
    made = ward("sleep 1000")

    async def scenario() -> None:
        task = asyncio.create_task(made.child.run())
        await asyncio.sleep(0)  # it has begun to start its process
        async with asyncio.timeout(SETTLED_S):
            await made.child.stop(5.0)
            await task

    asyncio.run(scenario())
    assert running(made.mark) == []


def test_a_stop_does_not_wait_until_a_dead_one_would_have_been_started_again(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here; exit 1")

    async def scenario() -> None:
        task = asyncio.create_task(made.child.run())
        await made.until_said("here\n" * 4)
        async with asyncio.timeout(1.5):  # the fifth start would come 1.6 s after the fourth death
            await made.child.stop(5.0)
            await task

    asyncio.run(scenario())
    assert (made.said.count("here"), made.down) == (4, [])


def test_one_that_was_never_started_is_stopped_at_once(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here")

    async def scenario() -> None:
        await made.child.stop(5.0)
        await made.child.run()

    asyncio.run(scenario())
    assert made.said == ""


LAUNCHER = """
import asyncio, sys
from pathlib import Path
from callboard.launch.children import Child

async def on_down(name, reason):
    print(reason, flush=True)

async def main(script, folder):
    argv = ("/bin/sh", "-c", script)
    children = [Child(f"a-{n}", argv, {"PATH": "/usr/bin:/bin"}, folder, folder / f"{n}.log", on_down) for n in (1, 2)]
    await asyncio.gather(*(child.run() for child in children))

asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
"""


def test_a_killed_launcher_leaves_nothing_behind(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    script = f"echo here; (setsid sh -c 'sleep 1000; : {mark}' &); sleep 1000; : {mark}"
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, script, str(tmp_path)])
    try:
        until(lambda: all((tmp_path / f"{n}.log").exists() and (tmp_path / f"{n}.log").read_text() for n in (1, 2)))
        others = [process for process in running(mark) if process.pid != launcher.pid]
        assert len(others) >= 4
        launcher.send_signal(signal.SIGKILL)
        launcher.wait()
        until(lambda: running(mark) == [])
    finally:
        launcher.kill()
        launcher.wait()
