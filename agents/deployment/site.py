"""One environment as the deployment agent's steps see it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from callboard.agents.deployment.history import History
from callboard.agents.deployment.readers import ReaderPlace
from callboard.agents.deployment.settings import DeploySettings
from callboard.agents.deployment.target import Release, Target
from callboard.agents.deployment.times import Clock, Sleep
from callboard.agents.workspace.git import Repository
from callboard.bus.board import Board
from callboard.bus.task import CommandResult


async def _empty() -> Board:
    return Board()


class Tester(Protocol):
    """Runs commands in a checkout of a commit."""

    async def run(
        self, commit: str, commands: Sequence[str], address: str, variables: Mapping[str, str], timeout_s: float
    ) -> tuple[CommandResult, ...]:
        """Run them all, one after the other; they may connect to the address.

        Raises:
            CallboardError: The commit could not be checked out or set up.
        """
        ...


@dataclass(frozen=True, slots=True)
class Site:
    environment: str
    settings: DeploySettings
    target: Target
    history: History
    before: History | None
    """Of the environment that a commit has to pass first; None = this is the first."""
    repository: Repository
    landed: Callable[[], tuple[str, ...]]
    """Heads of which one contains everything that may be deployed."""
    root: Path
    environ: Mapping[str, str] = field(repr=False)
    """The launcher's: where secrets are."""
    tester: Tester
    close_fixed: Callable[[str, str], Sequence[str]] = field(default=lambda before, commit: ())
    """What became of the issues that the commits between two releases fix."""
    board: Callable[[], Awaitable[Board]] = field(default=_empty)
    """The run's, as it is now."""
    clock: Clock = time.time
    sleep: Sleep = asyncio.sleep

    def found(self, release: str) -> Release | None:
        """What runs under a name."""
        return next((one for one in self.target.running() if one.id == release), None)

    def serving(self) -> Release | None:
        """Blue: what has the traffic; None = nothing runs that has any."""
        return serving(self.target)

    def reader_place(self, green: Release) -> ReaderPlace:
        return ReaderPlace(self.target, green, self.environment, self.root, self.environ, self.clock)


def serving(target: Target) -> Release | None:
    """What has the traffic; None = nothing runs that has any."""
    alive = [one for one in target.running() if one.alive and one.weight]
    return max(alive, key=lambda one: one.weight, default=None)
