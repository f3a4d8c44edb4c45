"""The checkouts that releases run from: one each, built once, kept while the release is startable."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from callboard.agents.workspace.checkout import Checkout
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.copies import NO_COPIES, Copies
from callboard.agents.workspace.files import remove
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.sandbox import Sandbox
from callboard.agents.workspace.setup import Setup, recorded, run_setup
from callboard.agents.workspace.slots import SandboxOf
from callboard.bus.errors import CallboardError, DeployFailed

_AGENT = Person("deployment", "deployment@localhost")
LEAST_FREE_BYTES = 64 * 1024 * 1024
"""A checkout that begins with less would seldom be whole."""


@dataclass(frozen=True, slots=True)
class Builder:
    """How a commit becomes something that can be started.

    Args:
        build: Commands that run after setup, in its sandbox but without what only setup may connect to.
        build_s: For each of them.
    """

    repository: Repository
    sandbox: SandboxOf
    setup: Setup = field(default_factory=Setup)
    build: tuple[str, ...] = ()
    build_s: float = 1800.0
    copies: Copies = NO_COPIES

    def checkout(self, folder: Path) -> Checkout:
        """The checkout below a release's folder; nothing is made."""
        return Checkout(folder / "tree", folder / "tree.git", self.repository, copies=self.copies)

    def sandbox_of(self, name: str, folder: Path) -> Sandbox:
        checkout = self.checkout(folder)
        return self.sandbox(name, checkout.folder, checkout.git_dir)

    def make(self, folder: Path, name: str, commit: str, env: Mapping[str, str]) -> Path:
        """Have the commit checked out, set up and built; what was built before stays as it is.

        Args:
            folder: The release's own.
            name: Whose scratch folder its commands have.

        Returns:
            Where to start it.

        Raises:
            DeployFailed: A command failed, or there is no room.
        """
        built = folder / "built"
        checkout = self.checkout(folder)
        if built.exists() and built.read_text() == self._mark(commit):
            return checkout.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_room(folder)
            self._switch(checkout, commit)
            asyncio.run(self._run(checkout, commit, env, self.sandbox_of(name, folder)))
            built.write_text(self._mark(commit))
        except (CallboardError, OSError) as error:
            raise DeployFailed(f"{commit[:12]} could not be built in {folder}: {error}") from error
        return checkout.folder

    def remove(self, folder: Path) -> None:
        remove(folder)

    def _mark(self, commit: str) -> str:
        return repr((commit, self.setup.commands, self.build))

    def _switch(self, checkout: Checkout, commit: str) -> None:
        if self.repository.resolve(commit) is None:
            raise DeployFailed("it is not in the repository")
        checkout.made = recorded(checkout).made
        checkout.ensure()
        checkout.switch(commit, keep=checkout.made)
        checkout.expose(commit, "release", _AGENT)

    async def _run(self, checkout: Checkout, commit: str, env: Mapping[str, str], sandbox: Sandbox) -> None:
        await run_setup(checkout, self.setup, commit, env, sandbox)
        for command in self.build:
            finished = await run_command(
                command, cwd=checkout.folder, env=env, sandbox=sandbox, timeout_s=self.build_s, merge_stderr=True
            )
            if not finished.result.passed:
                tail = finished.result.tail.strip()[-500:]
                raise DeployFailed(f"`{command}` ended with exit code {finished.result.exit_code}. It said: {tail}")


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES or os.statvfs(folder).f_favail == 0:
        raise DeployFailed(f"only {free // 1_000_000} MB are free there; make room")
