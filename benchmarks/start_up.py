"""How long a roster takes until every agent is ready, and how much memory each agent costs.

One agent (the manager alone) and the whole roster are launched in turn in the same repository, `--rounds` times. Ready means:
the agent has said so on the bus. Times run from the start of `callboard launch`, its own imports included. Memory is PSS,
summed over the launcher and everything below it, so that what processes share is counted once.

After the last launch `callboard status` is asked what was: its CPU time, against that of a Python that does nothing. Once
as it is, and once without any kept bytecode, the standard library's included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from loguru import logger

from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.messages import AgentStarted, RosterChanged
from callboard.bus.places import socket_path

LIMIT_S = 60.0
SETTLED_S = 1.0
"""Between the last agent's word and the measuring of memory."""
MOST_RATIO = 3.0
MOST_MB = 80.0
"""Issue 3: 20 agents ready within 3x the time of one, and at most 80 MB (PSS) for each further one."""
MOST_STATUS_S = 0.5
"""Issue 3: `callboard status` answers in well under half a second of CPU."""


@dataclass(frozen=True, slots=True)
class Start:
    """One launch."""

    ready_s: float
    agents_s: float
    """Of that, what came after the run was there and the first agent was to start."""
    cpu_s: float
    """Of the launcher and everything below it until all were ready."""
    pss_mb: float


COMMAND = 'command = "true"'
MODEL = 'model = "nobody"'
MODELS = '[models.nobody]\nprovider = "anthropic"\nmodel = "claude"\nbase_url = "http://127.0.0.1:9"\n'
"""A model that is never called: what counts is that every agent has imported what it takes."""


def lay_out(folder: Path, agents: int, brain: str) -> None:
    """A repository with a roster: a manager, three reviewers, and drivers."""
    names = [("senior", "reviewer"), ("junior-1", "reviewer"), ("junior-2", "reviewer")]
    names += [(f"driver-{number}", "driver") for number in range(1, agents - 3)]
    text = (
        '[project]\ngate = ["true"]\n\n[review]\nallow_same_family = true\n\n[[agents]]\nname = "manager"\nrole = "manager"\n\n'
        + MODELS
    )
    for name, role in names:
        seat = f'seat = "{name}"\n' if role == "reviewer" else ""
        text += f'\n[[agents]]\nname = "{name}"\nrole = "{role}"\n{seat}{brain}\n'
    (folder / "callboard.toml").write_text(text)
    for argv in (["init", "--quiet", "--initial-branch=main"], ["add", "."], ["commit", "--quiet", "--message=Begin"]):
        subprocess.run(["git", "-c", "user.name=b", "-c", "user.email=b@localhost", *argv], cwd=folder, check=True)


async def until_ready(folder: Path, agents: int, began: datetime) -> tuple[datetime, datetime]:
    """Wait for so many agents that began after `began` to say that they are there.

    Returns:
        When the launcher was about to start the first one, and when the last one was there.
    """
    bus = await connect(folder)
    starts = began
    ready: set[str] = set()
    async for entry in bus.journal(follow=True):
        for message in entry.messages:
            if message.sent_at < began:
                continue
            if isinstance(message.body, RosterChanged):
                starts = message.sent_at
            if isinstance(message.body, AgentStarted):
                ready.add(message.sender)
            if len(ready) == agents:
                await bus.close()
                return starts, message.sent_at
    raise BusError("the journal ended")


async def connect(folder: Path) -> Bus:
    """The bus of the run that a launcher has just begun, as soon as it is there."""
    while True:
        known = sorted(path.parent.name for path in (folder / ".git/refs/callboard").glob("*/base"))
        if known:
            with suppress(BusError):
                return await Bus.connect(f"unix://{socket_path(folder / '.callboard/bus')}", known[-1], connect_s=0)
        await asyncio.sleep(0.01)


def measure(folder: Path, only: str | None, agents: int) -> Start:
    began = datetime.now(UTC)
    argv = [sys.executable, "-m", "callboard", "launch", "--stay", *(("--only", only) if only else ())]
    with (folder.parent / "launch.log").open("ab") as out:
        launcher = psutil.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        starts, ready = asyncio.run(asyncio.wait_for(until_ready(folder, agents, began), LIMIT_S))
        everyone = [launcher, *launcher.children(recursive=True)]
        cpu_s = total(everyone, lambda process: sum(process.cpu_times()[:2]))
        time.sleep(SETTLED_S)
        pss = total(everyone, lambda process: process.memory_full_info().pss)
    except TimeoutError:
        sys.exit(f"the agents were not ready within {LIMIT_S:.0f} s:\n{(folder.parent / 'launch.log').read_text()}")
    finally:
        launcher.terminate()
        launcher.wait(LIMIT_S)
    return Start((ready - began).total_seconds(), (ready - starts).total_seconds(), cpu_s, pss / 1e6)


def status(folder: Path, rounds: int) -> dict[str, float]:
    """CPU seconds of `callboard status`, with bytecode and without, and how often a bare interpreter fits into the first."""
    bare, words = [sys.executable, "-c", "pass"], [sys.executable, "-m", "callboard", "status"]
    without = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(folder.parent / "nothing")}
    kept = {"PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    for argv in (bare, words):
        cpu_s(argv, folder, kept)
    cpu, bare_s = cpu_median(words, folder, kept, rounds), cpu_median(bare, folder, kept, rounds)
    cold = cpu_median(words, folder, without, rounds)
    return {"cpu_s": round(cpu, 3), "cpu_s_without_bytecode": round(cold, 3), "ratio_to_bare": round(cpu / bare_s, 1)}


def cpu_median(argv: list[str], folder: Path, env: dict[str, str], rounds: int) -> float:
    return statistics.median(cpu_s(argv, folder, env) for _ in range(rounds))


def cpu_s(argv: list[str], folder: Path, env: dict[str, str]) -> float:
    """User and system time of a command and of what it waits for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(argv, cwd=folder, env={**os.environ, **env}, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def total(processes: Iterable[psutil.Process], figure: Callable[[psutil.Process], float]) -> float:
    """A figure's sum over the processes that are still there; a git that was just running is not."""
    found = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            found += figure(process)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", action="store_true", help="drivers and reviewers think with models")
    given = parser.parse_args()
    logger.remove()
    ones: list[Start] = []
    alls: list[Start] = []
    with tempfile.TemporaryDirectory(prefix="callboard-benchmark-") as temporary:
        folder = Path(temporary) / "workspace"
        folder.mkdir()
        lay_out(folder, given.agents, MODEL if given.models else COMMAND)
        for _ in range(given.rounds):
            ones.append(measure(folder, "manager", 1))
            alls.append(measure(folder, None, given.agents))
        asked = status(folder, max(given.rounds, 5))
    one, every = summary(ones), summary(alls)
    further = given.agents - 1
    ratio = round(every["ready_s"] / one["ready_s"], 2)
    mb = round((every["pss_mb"] - one["pss_mb"]) / further, 1)
    found = {
        "agents": given.agents,
        "brains": "models" if given.models else "commands",
        "one": one,
        "all": every,
        "ratio": ratio,
        "mb_per_further_agent": mb,
        "cpu_s_per_further_agent": round((every["cpu_s"] - one["cpu_s"]) / further, 3),
        "status": asked,
    }
    print(json.dumps(found, indent=2))
    is_good = ratio <= MOST_RATIO and mb <= MOST_MB and asked["cpu_s_without_bytecode"] <= MOST_STATUS_S
    return 0 if is_good else 1


def summary(starts: list[Start]) -> dict[str, float]:
    """The median of each figure."""
    return {
        name: round(statistics.median(getattr(start, name) for start in starts), 3)
        for name in ("ready_s", "agents_s", "cpu_s", "pss_mb")
    }


if __name__ == "__main__":
    sys.exit(main())
