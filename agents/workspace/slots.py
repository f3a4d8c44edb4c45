"""Gate slots: checkouts in which checks and gates run, one at a time each, used over and over."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from callboard.agents.workspace.checkout import Checkout
from callboard.agents.workspace.commands import Finished, run_command
from callboard.agents.workspace.copies import NO_COPIES, Copies
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.sandbox import Sandbox
from callboard.agents.workspace.setup import Setup, forget, is_current, recorded, run_setup
from callboard.bus.errors import WorkspaceError

_GATE = Person("gate", "gate@localhost")
_BRANCH = "gate"
BY_HAND = 100
"""The number of the slot in which a person runs the gate; `[project] slots` are 64 at most."""

Environment = Callable[[str], Mapping[str, str]]
"""Gives the whole environment of what runs for a name, such as `gate-1` (environment.py)."""
SandboxOf = Callable[[str, Path, Path], Sandbox]
"""Gives what commands may do that run for a name in a folder, given our git directory for it."""


@dataclass(slots=True)
class Slot:
    """One slot, while somebody has it."""

    number: int
    checkout: Checkout
    setup: Setup
    env: Mapping[str, str] = field(repr=False)
    sandbox: Sandbox

    @property
    def path(self) -> Path:
        return self.checkout.folder

    async def switch(self, commit: str) -> None:
        """Make the slot hold exactly `commit`, set up; what an earlier run left is gone.

        Raises:
            CommandFailed: Setup failed; that says nothing about the commit's own checks.
        """
        await asyncio.to_thread(self._switch, commit)
        await run_setup(self.checkout, self.setup, commit, self.env, self.sandbox)

    async def run(self, command: str, *, timeout_s: float) -> Finished:
        """Run one check or gate command here; stdout has stderr in it, in the order of writing."""
        return await run_command(
            command, cwd=self.path, env=self.env, sandbox=self.sandbox, timeout_s=timeout_s, merge_stderr=True
        )

    def _switch(self, commit: str) -> None:
        checkout = self.checkout
        checkout.made = recorded(checkout).made
        checkout.ensure()
        if checkout.git.resolve(commit) is None:
            raise WorkspaceError(f"{commit} is not in the repository, so no gate can run on it")
        if not is_current(checkout, self.setup, commit):
            forget(checkout)
            checkout.made = ()
        checkout.switch(commit, keep=checkout.made)
        checkout.expose(commit, _BRANCH, _GATE)


class GateSlots:
    """The slots of one process; it holds the lock that makes it the only one.

    Args:
        count: How many gates may run at once.
        first: The number of the first of them; other processes have others.
    """

    def __init__(
        self,
        layout: Layout,
        repository: Repository,
        count: int,
        setup: Setup,
        environment: Environment,
        sandbox: SandboxOf,
        copies: Copies = NO_COPIES,
        first: int = 1,
    ) -> None:
        self._layout = layout
        self._repository = repository
        self._setup = setup
        self._environment = environment
        self._sandbox = sandbox
        self._copies = copies
        self._free = [*range(first + count - 1, first - 1, -1)]
        self._waiting = (deque[asyncio.Future[int]](), deque[asyncio.Future[int]]())
        """Who goes first, and who comes after."""

    @asynccontextmanager
    async def take(self, *, goes_first: bool = False) -> AsyncIterator[Slot]:
        """Wait for a free slot, the one used last first: it is the most likely to be set up already.

        Args:
            goes_first: Before everybody who waits and does not.
        """
        number = self._free.pop() if self._free else await self._turn(self._waiting[0 if goes_first else 1])
        try:
            yield self._slot(number)
        finally:
            self._give_back(number)

    async def _turn(self, waiting: deque[asyncio.Future[int]]) -> int:
        turn: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came at the same moment
                self._give_back(turn.result())
            raise

    def _give_back(self, number: int) -> None:
        for waiting in self._waiting:
            while waiting:
                turn = waiting.popleft()
                if not turn.done():
                    turn.set_result(number)
                    return
        self._free.append(number)

    def _slot(self, number: int) -> Slot:
        folder, git_dir = self._layout.gate(number), self._layout.gate_git(number)
        checkout = Checkout(folder, git_dir, self._repository, copies=self._copies)
        name = f"gate-{number}"
        return Slot(number, checkout, self._setup, self._environment(name), self._sandbox(name, folder, git_dir))
