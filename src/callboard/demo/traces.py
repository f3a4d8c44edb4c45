"""What a run left behind in git and in the feedback logs, read back from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.workspace.git import Repository
from callboard.app import Workspace
from callboard.bus.board import RunDoc
from callboard.feedback.log import FeedbackLog


@dataclass(frozen=True, slots=True)
class Landing:
    """One commit of the integration branch's first-parent line."""

    commit: str
    tree: str


@dataclass(frozen=True, slots=True)
class LogTrace:
    """One agent's feedback log."""

    path: Path
    entries: tuple[str, ...]
    """The ids, in the file's order."""
    on_branch: bool
    """Whether `<agent>/log` holds the same text."""


@dataclass(frozen=True, slots=True)
class Traces:
    line: tuple[Landing, ...]
    """Landings, oldest first."""
    target: str
    """Where the target branch is."""
    files: frozenset[str]
    """Every path of the target branch."""
    changed: tuple[str, ...]
    """Paths of the checkout that differ from it."""
    branches: Mapping[str, tuple[str, ...]]
    """Agent -> its branches."""
    logs: Mapping[str, LogTrace]
    """Agent -> its log."""


def read_traces(workspace: Workspace, run: RunDoc) -> Traces:
    repository = workspace.repository
    head = repository.resolve(run.integration) or run.base
    target = repository.resolve(run.target) or ""
    branches = [ref.removeprefix("refs/heads/") for ref in repository.refs("refs/heads")]
    folder = workspace.root / workspace.settings.paths.feedback
    return Traces(
        line=tuple(Landing(one.sha, one.tree) for one in reversed(repository.log_first_parent(head, run.base))),
        target=target,
        files=frozenset(repository.entries(target)) if target else frozenset(),
        changed=repository.uncommitted(),
        branches={
            agent: tuple(branch for branch in branches if branch.startswith(f"{agent}/")) for agent in workspace.roster
        },
        logs={agent: _log(repository, folder, agent) for agent in workspace.roster},
    )


def _log(repository: Repository, folder: Path, agent: str) -> LogTrace:
    log = FeedbackLog(folder, agent)
    text = log.path.read_bytes() if log.path.exists() else b""
    tip = repository.resolve(f"{agent}/log")
    kept = repository.read(tip, f"feedback/{log.path.name}") if tip else None
    return LogTrace(log.path, tuple(str(entry.id) for entry in log.entries()), bool(text) and kept == text)
