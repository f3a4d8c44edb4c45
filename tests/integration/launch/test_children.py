"""The roster's processes, with real ones: started again, given up, stopped, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest
from roster import kill, until

from callboard.launch.children import Child, Starter
from callboard.launch.forks import ForkServer
from callboard.launch.restarts import Restart
from callboard.launch.spawning import Spawner

SETTLED_S = 90.0
"""Only when something hangs."""
SERVER = """
import os, sys
from callboard.launch.fork_server import serve
os.execv("/bin/sh", ["/bin/sh", *serve(int(sys.argv[1]), ())])
"""
ENV = {"PATH": os.environ["PATH"]}


def running(mark: str) -> list[psutil.Process]:
    """Processes whose command line holds `mark`, guards apart."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(mark in word for word in words) and not any("guard.py" in word for word in words):
            found.append(process)
    return found


def fork_server(folder: Path) -> ForkServer:
    return ForkServer((sys.executable, "-c", SERVER), ENV, folder, folder / "logs/fork-server.log")


class Ward:
    """One child that is a shell, and what was said about it."""

    def __init__(self, folder: Path, script: str, starter: Starter) -> None:
        self.mark = uuid.uuid4().hex
        self.down: list[tuple[str, str]] = []
        self.log = folder / "logs/driver-1.log"
        self.starter = starter
        self.child = Child("driver-1", starter, ("-c", f"{script}\n: {self.mark}"), self.log, self._on_down)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[asyncio.Task[None]]:
        """While its child runs."""
        task = asyncio.create_task(self.child.run())
        try:
            yield task
            await task
        finally:
            if isinstance(self.starter, ForkServer):
                await self.starter.close()

    async def _on_down(self, name: str, reason: str) -> None:
        self.down.append((name, reason))

    @property
    def said(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    async def until_said(self, text: str) -> None:
        async with asyncio.timeout(SETTLED_S):
            while text not in self.said:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)


@pytest.fixture(params=["spawned", "forked"])
def ward(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Ward]:
    """Both ways to start an agent keep the same promises."""
    forked = request.param == "forked"
    return lambda script: Ward(
        tmp_path, script, fork_server(tmp_path) if forked else Spawner(("/bin/sh",), ENV, tmp_path)
    )


def test_five_deaths_in_a_minute_are_down_and_it_is_said_once(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here; exit 7")

    async def scenario() -> None:
        async with made.at_work():
            pass

    asyncio.run(scenario())
    assert made.said == "here\n" * 5
    [(name, reason)] = made.down
    assert name == "driver-1"
    assert reason == f"it died 5 times within a minute (exit code 7); see {made.log}"
    assert made.child.pid == 0


def test_one_that_was_killed_is_started_again(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here; sleep 1000")

    async def scenario() -> None:
        async with made.at_work():
            await made.until_said("here\n")
            kill(running(made.mark))
            await made.until_said("here\nhere\n")
            await made.child.stop(5.0)

    asyncio.run(scenario())
    assert made.down == []
    assert running(made.mark) == []


def test_a_stop_lets_it_end_in_its_own_order(ward: Callable[[str], Ward]) -> None:
    made = ward("trap 'echo good night; exit 0' TERM; echo here; while :; do sleep 0.05; done")

    async def scenario() -> None:
        async with made.at_work():
            await made.until_said("here\n")
            await made.child.stop(10.0)

    asyncio.run(scenario())
    assert made.said == "here\ngood night\n"
    assert running(made.mark) == []


def test_one_that_does_not_stop_is_ended_with_all_it_started(ward: Callable[[str], Ward]) -> None:
    made = ward("trap '' TERM; (setsid sh -c 'trap \"\" TERM; sleep 1000' &); echo here; while :; do sleep 0.05; done")

    async def scenario() -> None:
        async with made.at_work():
            await made.until_said("here\n")
            assert len(running(made.mark)) > 0
            await made.child.stop(0.1)

    asyncio.run(scenario())
    assert running(made.mark) == []


def test_a_stop_while_it_is_only_being_started_is_not_missed(ward: Callable[[str], Ward]) -> None:
    made = ward("sleep 1000")

    async def scenario() -> None:
        async with made.at_work(), asyncio.timeout(SETTLED_S):
            await asyncio.sleep(0)  # it has begun to start its process
            await made.child.stop(5.0)

    asyncio.run(scenario())
    assert running(made.mark) == []


def test_a_stop_does_not_wait_until_a_dead_one_would_have_been_started_again(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here; exit 1")
    has_died = asyncio.Event()

    def in_an_hour(deaths: Sequence[float], now: float) -> Restart:
        has_died.set()
        return Restart(3600.0)

    made.child.decide = in_an_hour

    async def scenario() -> None:
        async with made.at_work() as task, asyncio.timeout(SETTLED_S):
            await has_died.wait()
            await made.child.stop(5.0)
            await task

    asyncio.run(scenario())
    assert (made.said, made.down) == ("here\n", [])


def test_one_that_was_never_started_is_stopped_at_once(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here")

    async def scenario() -> None:
        await made.child.stop(5.0)
        async with made.at_work():
            pass

    asyncio.run(scenario())
    assert made.said == ""


def test_it_has_a_session_of_its_own_and_the_environment_it_was_given(ward: Callable[[str], Ward]) -> None:
    made = ward("cut -d' ' -f6 /proc/$$/stat; echo $$; env; cat; sleep 1000")

    async def scenario() -> None:
        async with made.at_work():
            await made.until_said("PATH=")
            await made.child.stop(5.0)

    asyncio.run(scenario())
    session, process, *variables = made.said.splitlines()
    assert session == process
    assert {line.partition("=")[0] for line in variables} <= {"PATH", "PWD", "LC_CTYPE", "_", "OLDPWD", "SHLVL"}


def test_a_killed_guard_takes_its_agent_with_it_and_another_is_started(ward: Callable[[str], Ward]) -> None:
    made = ward("echo here; sleep 1000")

    async def scenario() -> None:
        async with made.at_work():
            await made.until_said("here\n")
            [first] = [process.pid for process in running(made.mark) if process.name() == "sh"]
            os.kill(made.child.pid, signal.SIGKILL)
            await made.until_said("here\nhere\n")
            assert first not in [process.pid for process in running(made.mark)]
            await made.child.stop(5.0)

    asyncio.run(scenario())
    assert made.down == []


def test_agents_live_on_without_their_fork_server_and_the_next_one_has_another(tmp_path: Path) -> None:
    server = fork_server(tmp_path)
    first, second = (Ward(tmp_path / name, "echo here; sleep 1000", server) for name in ("a", "b"))

    async def scenario() -> None:
        async with first.at_work(), asyncio.timeout(SETTLED_S):
            await first.until_said("here\n")
            dead = server.pid
            os.kill(dead, signal.SIGKILL)
            async with second.at_work():
                await second.until_said("here\n")
                assert server.pid not in (0, dead)
                assert (first.said, first.down) == ("here\n", [])
                await second.child.stop(5.0)
            await first.child.stop(5.0)

    asyncio.run(scenario())
    assert running(first.mark) + running(second.mark) == []


def test_an_agent_whose_fork_server_is_ended_before_it_forks_is_started_again(tmp_path: Path) -> None:
    made = Ward(tmp_path, "echo here; sleep 1000", server := fork_server(tmp_path))

    async def scenario() -> None:
        await server.open()
        os.kill(server.pid, signal.SIGSTOP)
        async with made.at_work(), asyncio.timeout(SETTLED_S):
            await asyncio.sleep(0)  # it has asked for its process
            os.kill(server.pid, signal.SIGKILL)
            await made.until_said("here\n")
            await made.child.stop(5.0)

    asyncio.run(scenario())
    assert made.down == []


LAUNCHER = """
import asyncio, sys
from pathlib import Path
from callboard.launch.children import Child
from callboard.launch.forks import ForkServer
from callboard.launch.restarts import Restart
from callboard.launch.spawning import Spawner

async def on_down(name, reason):
    print(reason, flush=True)

async def main(script, folder, server):
    env = {"PATH": "/usr/bin:/bin"}
    forks = ForkServer((sys.executable, "-c", server), env, folder, folder / "server.log")
    starter = forks if server else Spawner(("/bin/sh",), env, folder)
    children = [Child(f"a-{n}", starter, ("-c", script), folder / f"{n}.log", on_down) for n in (1, 2)]
    await asyncio.gather(*(child.run() for child in children))

asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
"""


@pytest.mark.parametrize("server", ["", SERVER], ids=["spawned", "forked"])
def test_a_killed_launcher_leaves_nothing_behind(tmp_path: Path, server: str) -> None:
    mark = uuid.uuid4().hex
    script = f"echo here; (setsid sh -c 'sleep 1000; : {mark}' &); sleep 1000; : {mark}"
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, script, str(tmp_path), server])
    try:
        until(lambda: all((tmp_path / f"{n}.log").exists() and (tmp_path / f"{n}.log").read_text() for n in (1, 2)))
        until(lambda: len([process for process in running(mark) if process.pid != launcher.pid]) >= 4)
        below = psutil.Process(launcher.pid).children(recursive=True)
        launcher.send_signal(signal.SIGKILL)
        launcher.wait()
        until(lambda: running(mark) == [] and not any(process.is_running() for process in below))
    finally:
        launcher.kill()
        launcher.wait()


@pytest.mark.parametrize("how", ["it is stopped", "it ignores what it is asked", "its guard is stopped too"])
def test_one_that_cannot_be_reached_is_ended_and_started_again(ward: Callable[[str], Ward], how: str) -> None:
    trap = "trap '' TERM; " if "ignores" in how else ""
    made = ward(f"{trap}echo here; while :; do sleep 0.05; done")
    made.child.reach_s, made.child.ended_s = 0.2, SETTLED_S

    async def scenario() -> None:
        async with made.at_work():
            await made.until_said("here\n")
            if how != "it ignores what it is asked":
                for process in running(made.mark):
                    process.suspend()
            if how == "its guard is stopped too":
                made.child.ended_s = 0.2
                os.kill(made.child.pid, signal.SIGSTOP)
            await made.child.replace()
            await made.until_said("here\nhere\n")
            await made.child.stop(0.5)

    asyncio.run(scenario())
    assert made.down == []
    assert running(made.mark) == []


class Immortal:
    """A process that nobody can end, as one that waits for a disk that is gone."""

    pid = 0

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def start(self, words: object, log: Path) -> Immortal:
        return self

    async def wait(self) -> int:
        await asyncio.Event().wait()
        return 0

    def ask(self) -> None:
        self.asked.append("ask")

    def end(self) -> None:
        self.asked.append("end")


def test_one_that_nobody_can_end_is_given_up_so_that_its_work_goes_to_others(tmp_path: Path) -> None:
    down: list[str] = []
    immortal = Immortal()

    async def on_down(name: str, reason: str) -> None:
        down.append(reason)

    async def scenario() -> None:
        child = Child("driver-1", immortal, (), tmp_path / "log", on_down, reach_s=0.01, ended_s=0.01)
        running = asyncio.create_task(child.run())
        await asyncio.sleep(0)
        while not child.is_running:  # noqa: ASYNC110 - until it has begun
            await asyncio.sleep(0)
        await child.replace()
        await running

    asyncio.run(scenario())
    assert immortal.asked[:2] == ["ask", "end"]
    [reason] = down
    assert reason.startswith("it can neither be reached nor ended")
