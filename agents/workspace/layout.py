"""Where everything below `.callboard/` lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from callboard.bus.errors import WorkspaceError

FILE = "callboard.toml"
"""Its settings, in the top folder of the checkout; what makes a repository a workspace."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Layout:
    """The program's own places in one workspace."""

    root: Path
    """The top folder of the user's checkout, absolute."""

    @property
    def home(self) -> Path:
        return self.root / ".callboard"

    @property
    def bus(self) -> Path:
        """The embedded server's data."""
        return self.home / "bus"

    @property
    def ask(self) -> Path:
        """Where a launcher tells how things stand."""
        return self.home / "ask"

    def outbox(self, run: str) -> Path:
        """What people were told of a run, and are still to be told."""
        return self.home / "notify" / f"{_checked(run)}.json"

    def clone(self, agent: str) -> Path:
        """The agent's working folder; its `.git` belongs to the brain and is trusted by nobody."""
        return self.home / "clones" / _checked(agent)

    def vault(self, agent: str) -> Path:
        """The git directory in which the agent's work is committed."""
        return self.home / "vaults" / f"{_checked(agent)}.git"

    def kept(self, agent: str) -> Path:
        """Git directories of the agent's clone that held branches of the brain's own, moved aside, never read."""
        return self.home / "kept" / _checked(agent)

    def gate(self, number: int) -> Path:
        """The checkout of one gate slot, from 1."""
        return self.home / "gates" / str(number)

    def gate_git(self, number: int) -> Path:
        """The git directory that switches a slot; what runs in the slot does not get to see it."""
        return self.home / "gates" / f"{number}.git"

    def scratch(self, name: str) -> Path:
        """HOME, TMPDIR and caches of what runs for `name`."""
        return self.home / "scratch" / _checked(name)

    def deploy(self, environment: str) -> Path:
        """What is deployed in an environment, over launches: only agents/deployment writes there."""
        return self.deployed / _checked(environment)

    @property
    def deployed(self) -> Path:
        """Of every environment; processes that are on record there outlive a launch (guard.py)."""
        return self.home / "deploy"

    def calls(self, run: str) -> Path:
        """Call logs of one run: `<task>.<attempt>.<agent>[.<review>].jsonl`."""
        return self.home / "calls" / _checked(run)

    def archive(self, run: str) -> Path:
        """The journal of one run, kept for good."""
        return self.archives / _checked(run)

    @property
    def archives(self) -> Path:
        """A folder for each run."""
        return self.home / "archive"

    @property
    def play(self) -> Path:
        """A recording's talks, played instead of calling models: there in a workspace made for that alone."""
        return self.home / "play"

    def call_log(self, run: str, task: str, attempt: int, agent: str, review: str = "") -> Path:
        parts = (task, str(attempt), agent, *([review] if review else []))
        return self.calls(run) / ".".join((*map(_checked, parts), "jsonl"))

    def log(self, name: str) -> Path:
        return self.home / "logs" / f"{_checked(name)}.log"

    @property
    def tokens(self) -> Path:
        """Who may ask the HTTP API; hidden from sandboxes, as all of this is."""
        return self.home / "web" / "tokens.json"

    @property
    def lots(self) -> Path:
        """Which ports and names each clone and slot has to itself."""
        return self.home / "lots.json"

    def lock(self, name: str) -> Path:
        return self.home / "locks" / _checked(name)


def _checked(name: str) -> str:
    """Names become folders, so nothing in one may climb out of its place."""
    if not _NAME.fullmatch(name) or name.endswith((".lock", ".git", ".")):
        raise WorkspaceError(f"{name!r} cannot name a folder; use letters, digits, dots and dashes")
    return name
