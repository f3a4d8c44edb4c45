"""kill -9 of anybody at any moment: after another launch everything is as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class End:
    """What a workspace came to."""

    written: tuple[str, ...]
    """Files of the integration branch that main has not."""
    landed: tuple[str, ...]
    """Keys, as often as each landed."""
    changed: str
    """In the user's checkout."""
    odd_logs: tuple[str, ...]
    """Agents whose log is not what the journal says, each entry once."""
    left_running: int


UNDISTURBED = End(
    ("a.txt", "b.txt", "c.txt", "deep/d.txt"),
    ("driver-1/write-a", "driver-1/write-b", "driver-2/write-c", "driver-2/write-d"),
    "",
    (),
    0,
)


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
        until(lambda: workspace.processes() == [], every_s=0.5)
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


def end_of(workspace: Workspace, expected: Path) -> End:
    """
    Args:
        expected: An empty folder, for the logs that the journal gives.
    """
    tip = workspace.integration()
    asyncio.run(logs_from_the_journal(workspace, expected))

    def is_odd(agent: str) -> bool:
        written = [entry.id for entry in FeedbackLog(workspace.path / "feedback", agent).entries()]
        told = [entry.id for entry in FeedbackLog(expected, agent).entries()]
        return written != told or len(written) != len(set(written))

    return End(
        tuple(sorted(set(workspace.files(tip)) - set(workspace.files("main")))),
        tuple(sorted(workspace.landed_keys(tip))),
        run_git(workspace.path, "status", "--porcelain"),
        tuple(filter(is_odd, AGENTS)),
        len(workspace.processes()),
    )


def killed_at_random(make: Make, seed: int, n: int, victim: str) -> Workspace:
    after_s = random.Random(f"{seed}/{n}").uniform(0.3, LONGEST_S)
    print(f"seed {seed}, kill {n}: {victim} after {after_s:.2f} s")
    workspace = make()
    workspace.init(DIRECTIONS)
    disturb(workspace, victim, after_s)
    return workspace


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
    until(lambda: made.processes() == [], every_s=0.5)
    code, output = made.launch()
    assert code == 0, output
    assert end_of(made, tmp_path / "expected") == UNDISTURBED


@pytest.mark.long
@pytest.mark.parametrize("n", range(20))
def test_twenty_kills_at_random_moments_change_nothing_in_the_end(
    workspace: Make, tmp_path: Path, seed: int, n: int
) -> None:
    made = killed_at_random(workspace, seed, n, VICTIMS[n % len(VICTIMS)])
    assert end_of(made, tmp_path / "expected") == UNDISTURBED
