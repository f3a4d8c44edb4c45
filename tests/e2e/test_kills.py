"""kill -9 of anybody at any moment: after another launch everything is as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from roster import AGENTS, HANG_S, Workspace, kill, run_git, task, until

from callboard.agents.workspace.history import BranchHistory
from callboard.app import Workspace as Opened
from callboard.feedback.log import FeedbackLog
from callboard.feedback.scribe import Scribe
from callboard.launch.joining import current_run, open_bus

Make = Callable[..., Workspace]

VICTIMS = (*AGENTS, "server", "launcher", "everything")
LONGEST_S = 7.0
"""About as long as an undisturbed run takes."""
DIRECTIONS = {
    "driver-1": task("1 - Write a", Writes="a.txt", Checks="`test -s a.txt`")
    + task("2 - Write b", Writes="b.txt")
    + task("3 - Look around", Checks="`test -e README`"),
    "driver-2": task("1 - Write c", Writes="c.txt") + task("2 - Write d", Writes="deep/d.txt", Takes="0.6"),
}
WRITTEN = {"a.txt", "b.txt", "c.txt", "deep/d.txt"}


def disturb(workspace: Workspace, victim: str, after_s: float) -> None:
    """Launch, kill, and let the launcher or another launch bring it to its end."""
    process = workspace.start()
    time.sleep(after_s)
    if victim == "launcher":
        process.kill()
    elif victim == "everything":
        kill([one for one in workspace.processes() if one.pid != os.getpid()])
    elif (target := workspace.process(victim)) is not None:
        kill([target])
    if victim in ("launcher", "everything"):
        process.communicate(timeout=HANG_S)
        until(lambda: workspace.processes() == [])
    else:
        output, _ = process.communicate(timeout=HANG_S)
        assert process.returncode == 0, output
    code, output = workspace.launch()
    assert code == 0, output


async def logs_from_the_journal(workspace: Workspace, folder: Path) -> None:
    """Fold the whole journal into an empty folder: what the logs must be."""
    opened = Opened.open(workspace.path, os.environ)
    run = current_run(opened)
    may_send = opened.capabilities().may_send
    history = BranchHistory(opened.repository)
    scribe = Scribe(run, folder, history, may_send=may_send, clock=time.monotonic)
    async with open_bus(opened, run) as bus:
        last = await bus.seq()
        async for entry in bus.journal(0):
            scribe.fold(entry)
            if entry.seq == last:
                break


def check_everything(workspace: Workspace, expected: Path) -> None:
    tip = workspace.integration()
    assert set(workspace.files(tip)) - set(workspace.files("main")) == WRITTEN
    keys = workspace.landed_keys(tip)
    assert sorted(keys) == ["driver-1/write-a", "driver-1/write-b", "driver-2/write-c", "driver-2/write-d"]
    assert run_git(workspace.path, "status", "--porcelain") == ""
    asyncio.run(logs_from_the_journal(workspace, expected))
    for agent in AGENTS:
        written = [entry.id for entry in FeedbackLog(workspace.path / "feedback", agent).entries()]
        assert written == [entry.id for entry in FeedbackLog(expected, agent).entries()], agent
        assert len(written) == len(set(written))
    assert workspace.processes() == []


def kill_at_random(make: Make, tmp_path: Path, seed: int, n: int, victim: str) -> None:
    after_s = random.Random(f"{seed}/{n}").uniform(0.3, LONGEST_S)
    print(f"seed {seed}, kill {n}: {victim} after {after_s:.2f} s")
    workspace = make()
    workspace.init(DIRECTIONS)
    disturb(workspace, victim, after_s)
    check_everything(workspace, tmp_path / "expected")


def test_three_kills_at_random_moments_of_one_run_change_nothing_in_the_end(
    workspace: Make, tmp_path: Path, seed: int
) -> None:
    """A driver, the manager, then everything; another launch brings it to its end."""
    made, draw = workspace(), random.Random(seed)
    made.init(DIRECTIONS)
    process = made.start()
    for victim in ("driver-1", "manager", "everything"):
        after_s = draw.uniform(0.3, LONGEST_S / 3)
        print(f"seed {seed}: {victim} after {after_s:.2f} s more")
        time.sleep(after_s)
        found = made.processes() if victim == "everything" else filter(None, [made.process(victim)])
        kill([one for one in found if one.pid != os.getpid()])
    process.communicate(timeout=HANG_S)
    until(lambda: made.processes() == [])
    code, output = made.launch()
    assert code == 0, output
    check_everything(made, tmp_path / "expected")


@pytest.mark.long
@pytest.mark.parametrize("n", range(20))
def test_twenty_kills_at_random_moments_change_nothing_in_the_end(
    workspace: Make, tmp_path: Path, seed: int, n: int
) -> None:
    kill_at_random(workspace, tmp_path, seed, n, VICTIMS[n % len(VICTIMS)])
