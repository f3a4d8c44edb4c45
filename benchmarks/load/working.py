"""A run that works, in a repository of its own, with the HTTP API served beside it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load.asking import Asked, Listener, ask, listen
from roster import Workspace, task

from callboard.agents.workspace.layout import Layout
from callboard.bus.archive import FileArchive

PATHS = (
    "/runs/{run}",
    "/tasks",
    "/agents",
    "/messages?limit=50",
    "/questions",
    "/queue",
    "/runs/{run}/issues/index",
    "/project/issues/backlog",
    "/metrics/runs",
    "/health",
)
WEB = "\n[web]\nwith_launch = false\nrequests_per_minute = 1_000_000\n"
"""All of the load comes from one address."""
LOOK_EVERY_S = 0.05
CATCH_UP_S = 60.0
"""How long listeners may take, once the run is over, to have its last archived entry."""
RUNNING = re.compile(r"run (\S+) is running")
SUCCEEDED = re.compile(r"run (\S+) has succeeded")


@dataclass(frozen=True, slots=True)
class Load:
    listeners: int
    per_s: float
    most: int
    """Requests."""


@dataclass(slots=True)
class Worked:
    """One run from `callboard launch` until it has succeeded."""

    seconds: float = 0.0
    cpu_s: float = 0.0
    """Of the launch and all that it started, until it has ended."""
    landed: int = 0
    asked: Asked = field(default_factory=Asked)
    listeners: list[Listener] = field(default_factory=list)
    entries: int = 0
    """The number of the last one archived, when those who listen were last looked at: each should have it."""


class Launched:
    """`callboard launch --stay`: the roster stays when the run is over, so that nobody who asks finds it gone."""

    def __init__(self, folder: Path, workspace: Path, longest_s: float) -> None:
        self._log = folder / "launch.log"
        self._layout = Layout(workspace)
        self._longest_s = longest_s
        self._began = time.monotonic()
        self.seconds = 0.0
        """Until it had succeeded; 0 = it has not yet."""
        with self._log.open("wb") as out:
            argv = [sys.executable, "-m", "callboard", "launch", "--stay"]
            self._process = subprocess.Popen(
                argv, cwd=workspace, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def run(self) -> str:
        """Its name, once it works; "" = it does not yet."""
        found = RUNNING.search(self._log.read_text())
        return found[1] if found else ""

    def is_over(self) -> bool:
        """
        Raises:
            RuntimeError: It takes longer than it may, or has ended otherwise.
        """
        taken = time.monotonic() - self._began
        if not self.seconds and SUCCEEDED.search(self._log.read_text()):
            self.seconds = taken
        if not self.seconds and (taken > self._longest_s or self._process.poll() is not None):
            raise RuntimeError(f"the run has not succeeded after {taken:.0f} s:\n{self._log.read_text()[-2_000:]}")
        return bool(self.seconds)

    def archived(self) -> int:
        """The number of the last entry that stands in the run's archive; 0 = none."""
        last = FileArchive(self._layout.archive(self.run)).last()
        return last.seq if last else 0

    def end(self) -> float:
        """CPU seconds."""
        self._process.terminate()
        _, status, used = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return used.ru_utime + used.ru_stime


def work(folder: Path, tasks: int, longest_s: float, load: Load | None) -> Worked:
    """
    Raises:
        RuntimeError: The run did not come to a good end in time.
    """
    workspace = Workspace(folder / "shop", extra=WEB)
    numbers = range(1, tasks + 1)
    workspace.init(
        {
            name: "".join(task(f"{n} - Write {name} {n}", Writes=f"{name}/{n}.txt") for n in numbers)
            for name in workspace.names
        }
    )
    token = json.loads(workspace.call("token", "create", "load", "--json").stdout)["token"]
    argv = [sys.executable, "-m", "callboard", "serve", "--port", "0", "--json"]
    with (folder / "serve.log").open("wb") as log:
        served = subprocess.Popen(
            argv, cwd=workspace.path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
    try:
        assert served.stdout is not None
        port = int(json.loads(served.stdout.readline())["address"].rpartition(":")[2])
        launched = Launched(folder, workspace.path, longest_s)
        worked = Worked()
        asyncio.run(_listened_to(worked, launched, port, token, load) if load else _until(launched.is_over))
        worked.seconds, worked.cpu_s = launched.seconds, launched.end()
    finally:
        served.terminate()
        served.wait()
        workspace.stop_everything()
    worked.landed = len(workspace.landed_keys(workspace.integration()))
    return worked


async def _listened_to(worked: Worked, launched: Launched, port: int, token: str, load: Load) -> None:
    """Return once the run has succeeded, and those who listen have heard so."""
    await _until(lambda: bool(launched.run) or launched.is_over())
    worked.listeners = [Listener() for _ in range(load.listeners)]
    listening = [asyncio.create_task(listen(port, token, launched.run, one)) for one in worked.listeners]
    paths = [path.format(run=launched.run) for path in PATHS]
    worked.asked = await ask(port, token, paths, load.per_s, load.most, launched.is_over)
    await _until(launched.is_over)

    def all_heard() -> bool:
        worked.entries = launched.archived()
        return all(one.last >= worked.entries or one.error for one in worked.listeners)

    with suppress(TimeoutError):
        async with asyncio.timeout(CATCH_UP_S):
            await _until(all_heard)
    for one in listening:
        one.cancel()
    await asyncio.gather(*listening, return_exceptions=True)


async def _until(fact: Callable[[], bool]) -> None:
    while True:
        if fact():
            return
        await asyncio.sleep(LOOK_EVERY_S)
