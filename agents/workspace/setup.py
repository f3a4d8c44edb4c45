"""Setup: the project's own commands that make a checkout able to run code, again only when their inputs changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from callboard.agents.workspace.checkout import Checkout
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.git import TreeEntry
from callboard.agents.workspace.globs import matches_any
from callboard.agents.workspace.sandbox import Sandbox
from callboard.bus.errors import CommandFailed


@dataclass(frozen=True, slots=True)
class Setup:
    """`[project] setup` and `setup_inputs`."""

    commands: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    """Paths or globs; when what they name changes, setup runs again."""
    timeout_s: float = 1_800.0
    """For each command; installing from a cold cache can take many minutes."""
    connect: tuple[str, ...] = ()
    """`host:port` that its commands may connect to, and others may not, such as those of package registries."""

    def may_connect(self, sandbox: Sandbox) -> Sandbox:
        """The sandbox of its commands in a checkout whose other commands have this one."""
        return sandbox.allowing(connect=self.connect)


class SetupDone(BaseModel):
    """What setup left behind in one checkout; kept beside its git directory."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    made: tuple[str, ...]
    """Untracked paths that setup made."""
    copied: str = ""
    """Digest of the copies that it saw."""


def fingerprint(setup: Setup, files: Mapping[str, TreeEntry]) -> str:
    """64 hex digits over the commands and the inputs' contents.

    Args:
        files: What the commit that is set up holds.
    """
    inputs = sorted((path, entry.sha) for path, entry in files.items() if matches_any(setup.inputs, path))
    return hashlib.sha256(repr((setup.commands, inputs)).encode()).hexdigest()


def recorded(checkout: Checkout) -> SetupDone:
    """What the last setup of a checkout left behind; empty when there was none, or it did not end."""
    try:
        return SetupDone.model_validate_json(_record(checkout).read_bytes())
    except (FileNotFoundError, ValidationError):
        return SetupDone(fingerprint="", made=())


def forget(checkout: Checkout) -> None:
    """Setup has to run again."""
    _record(checkout).unlink(missing_ok=True)


def is_current(checkout: Checkout, setup: Setup, commit: str) -> bool:
    """Whether the last setup of a checkout saw these commands, inputs and copies.

    Raises:
        CommandFailed: A file to copy is not there.
    """
    last = recorded(checkout)
    return (last.fingerprint, last.copied) == (
        fingerprint(setup, checkout.git.entries(commit)),
        checkout.copies.digest(),
    )


async def run_setup(checkout: Checkout, setup: Setup, commit: str, env: Mapping[str, str], sandbox: Sandbox) -> bool:
    """Run setup in a checkout that holds `commit`, if its inputs or copies differ from those of the last time.

    Tracked files that a setup command wrote (a lock file) are put back; what it made is in `checkout.made` afterwards.

    Returns:
        Whether it ran.

    Raises:
        CommandFailed: A command of it failed; it runs again the next time.
    """
    if not setup.commands or await asyncio.to_thread(is_current, checkout, setup, commit):
        return False
    # before the commands: what changes while they run is for the next time
    seen, copied = await asyncio.to_thread(checkout.git.entries, commit), checkout.copies.digest()
    forget(checkout)
    before = set(await asyncio.to_thread(checkout.untracked)) - set(checkout.made)
    for command in setup.commands:
        await _run(command, checkout.folder, env, setup.may_connect(sandbox), setup.timeout_s)
    await asyncio.to_thread(_settle, checkout, commit, before)
    done = SetupDone(fingerprint=fingerprint(setup, seen), made=checkout.made, copied=copied)
    new = _record(checkout).with_suffix(".new")
    new.write_text(done.model_dump_json())
    new.replace(_record(checkout))
    return True


def _settle(checkout: Checkout, commit: str, before: set[str]) -> None:
    checkout.restore(commit)
    checkout.made = tuple(path for path in checkout.untracked() if path not in before)
    checkout.ensure()


async def _run(command: str, folder: Path, env: Mapping[str, str], sandbox: Sandbox, timeout_s: float) -> None:
    finished = await run_command(command, cwd=folder, env=env, sandbox=sandbox, timeout_s=timeout_s, merge_stderr=True)
    if not finished.result.passed:
        raise CommandFailed(
            f"setup `{command}` ended with exit code {finished.result.exit_code} in {folder}; "
            f"run it there to see more{_reach(sandbox)}. It said: {finished.result.tail.strip()[-500:]}"
        )


def _reach(sandbox: Sandbox) -> str:
    """What is often the reason: packages come from a network."""
    if sandbox.kind == "off":
        return ""
    return f" (it may connect to {', '.join(sandbox.connect) or 'nothing'}: `setup_connect` under [sandbox])"


def _record(checkout: Checkout) -> Path:
    return checkout.git_dir / "callboard-setup.json"
