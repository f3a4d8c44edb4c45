"""A user's repository for workspace tests, and plain git as a person or an attacker runs it."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callboard.agents.manager.intake import IntakeRules, TakenIn, take_in
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.git import Person, Repository
from callboard.agents.workspace.layout import Layout

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DRIVER = Person("driver-1", "driver-1@localhost")
PIN = "refs/callboard/r1/tasks/T-1/1"
HANDIN = "refs/handin/T-1/1"
ENV = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def git(folder: Path, *args: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
    """Git without any of our walls."""
    done = subprocess.run(
        ["git", *args], cwd=folder, check=check, capture_output=True, text=True, env={**os.environ, **(env or {})}
    )
    return done.stdout.removesuffix("\n")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content.encode() if isinstance(content, str) else content)


@dataclass(frozen=True)
class Workshop:
    """A user's repository with a workspace."""

    root: Path
    layout: Layout
    repository: Repository

    @property
    def head(self) -> str:
        return git(self.root, "rev-parse", "HEAD")

    def commit(self, files: Mapping[str, str | bytes], message: str = "more") -> str:
        """As the user does it."""
        write(self.root, files)
        git(self.root, "add", "--force", *files)
        git(self.root, "commit", "--quiet", "--message", message)
        return self.head

    def clone(self, agent: str = "driver-1") -> AgentClone:
        return AgentClone(self.layout, self.repository, agent, clock=lambda: NOON)

    def prepared(self, agent: str = "driver-1") -> AgentClone:
        clone = self.clone(agent)
        clone.prepare(self.head)
        return clone

    def hand_in(self, clone: AgentClone, *, ref: str = HANDIN, base: str | None = None) -> str | None:
        return clone.hand_in(ref, base or self.head, "Do it", DRIVER, NOON)

    def take_in(self, clone: AgentClone, commit: str, *paths: str, base: str | None = None) -> TakenIn:
        return take_in(
            clone.vault,
            self.repository,
            base=base or self.head,
            commit=commit,
            rules=IntakeRules(paths=paths),
            pin=PIN,
            branch="driver-1/work",
        )


def make_workshop(folder: Path, files: Mapping[str, str | bytes] | None = None) -> Workshop:
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet")
    made = Workshop(folder, Layout(folder), Repository(folder))
    made.commit(files or {"app/main.py": "print('hello')\n", "README.md": "# App\n"}, "first")
    with (folder / ".git/info/exclude").open("a") as exclude:
        exclude.write("/.callboard/\n")
    return made


def imprint(top: Path, *, without: Iterable[str] = ()) -> dict[str, str]:
    """Every file, link and folder below `top` -> a digest of its mode, times aside, and content."""
    left_out = tuple(without)
    found = {}
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top).as_posix()
        if not any(name == other or name.startswith(f"{other}/") for other in left_out):
            found[name] = _digest(path)
    return found


def _digest(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"-> {path.readlink()}"
    content = hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else ""
    return f"{mode:o} {content}"
