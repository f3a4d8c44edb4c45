"""Too little space: new work waits, is said once, and goes on by itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from roster import Workspace, task

from callboard.app import Workspace as Opened
from callboard.bus.board import Board
from callboard.bus.caps import SpentSeen
from callboard.bus.errors import RosterError
from callboard.launch.launcher import Launcher
from callboard.launch.options import LaunchOptions

Make = Callable[..., Workspace]

PLENTY, LITTLE = 10_000_000_000, 1_000_000


@dataclass
class Seen:
    """A view that remembers, and a disk that is full from the launch's check on until the pause was seen."""

    is_checked: bool = False
    events: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)

    def board(self, board: Board) -> None:
        if board.run.state == "paused":
            self.paused.append(board.run.reason)

    def free_bytes(self) -> int:
        was_checked, self.is_checked = self.is_checked, True
        return LITTLE if was_checked and not self.paused else PLENTY

    def spent(self, seen: SpentSeen) -> None:
        """Nobody pays here."""

    def event(self, text: str) -> None:
        self.events.append(text)

    def close(self) -> None:
        """Nothing to put away."""


def test_a_launch_with_too_little_space_is_refused_before_anything_is_made(workspace: Make) -> None:
    made = workspace()
    made.init({"driver-1": task("1 - Write a", Writes="a.txt")})
    launcher = Launcher(Opened.open(made.path, os.environ), LaunchOptions(), Seen(), lambda: LITTLE)
    with pytest.raises(RosterError, match="only 1 MB are free"):
        asyncio.run(launcher.run())
    assert not (made.path / ".callboard").exists()


@pytest.mark.long
def test_work_waits_while_the_disk_is_full_and_goes_on_by_itself(workspace: Make) -> None:
    made = workspace()
    made.init({"driver-1": "".join(task(f"{n} - Write {n}", Writes=f"{n}.txt", Takes="2") for n in range(5))})
    seen = Seen()
    launcher = Launcher(Opened.open(made.path, os.environ), LaunchOptions(), seen, seen.free_bytes)
    assert asyncio.run(launcher.run()) == 0
    assert set(seen.paused) == {"disk"}
    assert sum("new work waits" in event for event in seen.events) == 1
    assert sum("work goes on" in event for event in seen.events) == 1
    assert {f"{n}.txt" for n in range(5)} <= set(made.files(made.integration()))
