"""Where changes are judged: a repository with all of them, and three reviewers as a given callboard.toml has them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.review.changes import Case
from benchmarks.review.packed import unpack
from benchmarks.review.trio import RUN, Commits, Panel

from callboard.agents.brains.budget import Budget
from callboard.agents.reviewer.bench import Bench
from callboard.agents.reviewer.consensus import TRIO, Seats
from callboard.agents.reviewer.handler import ReviewerHandler
from callboard.app import Workspace
from callboard.bus.errors import ConfigError
from callboard.needs import key_problems
from callboard.settings import FILE
from callboard.thinking import Thinking

_WHO = "driver-1 <driver-1@localhost> 1700000000 +0000"
_QUIET = ("-c", "gc.auto=0", "-c", "maintenance.auto=false")


@dataclass(frozen=True, slots=True)
class Lane:
    """One change at a time is judged in it."""

    workspace: Workspace
    commits: Mapping[str, Commits]
    """By a case's id."""


def lay_out(
    folder: Path,
    cases: Sequence[Case],
    config: Path,
    environ: Mapping[str, str],
    talks: Path | None = None,
    calls: Path | None = None,
) -> Lane:
    """A repository in an empty folder; each change is a commit on a root commit of its own.

    Args:
        config: The callboard.toml whose reviewers judge.
        talks: What their models said (packed.py); None = they are asked.
        calls: A folder for the call logs that outlives this one; what is in them is not asked again.

    Raises:
        ConfigError, RosterError: Nobody could judge with that file.
    """
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "fast-import", "--quiet", stdin=b"".join(_imported(cases, config.read_bytes())))
    _git(folder, "reset", "--quiet", "--hard", "main")
    shas = _git(folder, "rev-parse", *(f"refs/cases/{case.id}/{at}" for case in cases for at in ("base", "change")))
    named = iter(shas.split())
    commits = {case.id: Commits(next(named), next(named)) for case in cases}
    if talks is not None:
        unpack(talks, folder / ".callboard" / "play")
    workspace = Workspace.open(folder, environ)
    if len(workspace.settings.reviewers) != TRIO:
        raise ConfigError(f"{config}: {len(workspace.settings.reviewers)} reviewers; a review needs {TRIO}")
    if problems := key_problems(workspace):
        raise ConfigError(f"{config}: {'; '.join(problems.values())}")
    if calls is not None:
        there = workspace.layout.calls(RUN)
        there.parent.mkdir(parents=True, exist_ok=True)
        there.symlink_to(calls.resolve())
    return Lane(workspace, commits)


def panel(workspace: Workspace, budget: Budget) -> Panel:
    """The workspace's reviewers, wired as a launch wires them but for the budget."""
    seats = {seat: name for name, seat in workspace.settings.seats.items()}
    reviewers = {
        agent.name: ReviewerHandler(
            Bench(workspace.seat(agent, RUN), workspace.clone(agent.name), workspace.repository),
            Thinking(workspace, agent, budget, workspace.prices).brain(),
        )
        for agent in workspace.settings.reviewers
    }
    deadline = timedelta(seconds=workspace.settings.review.deadline_s)
    return Panel(reviewers, Seats(seats["senior"], (seats["junior-1"], seats["junior-2"])), deadline)


def models(workspace: Workspace) -> dict[str, str]:
    """Seat -> what thinks there."""
    named = workspace.settings.seats
    return {
        named[agent.name]: ", ".join(workspace.settings.models[name].model for name in agent.model)
        if agent.model
        else f"{agent.cli} {agent.cli_model or ''}".strip()
        if agent.cli
        else "a command"
        for agent in workspace.settings.reviewers
    }


def call_logs(lane: Lane) -> Path:
    return lane.workspace.layout.calls(RUN)


def _imported(cases: Sequence[Case], config: bytes) -> Iterator[bytes]:
    yield from _commit("refs/heads/main", "", {FILE: config.decode("utf-8")})
    for case in cases:
        ref = f"refs/cases/{case.id}"
        yield from _commit(f"{ref}/base", "", case.before)
        yield from _commit(f"{ref}/change", f"{ref}/base", case.after)


def _commit(ref: str, parent: str, files: Mapping[str, str]) -> Iterator[bytes]:
    yield f"commit {ref}\ncommitter {_WHO}\ndata 4\nWork\n".encode()
    if parent:
        yield f"from {parent}\n".encode()
    for path, text in files.items():
        raw = text.encode()
        yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(raw), raw)


def _git(folder: Path, *args: str, stdin: bytes = b"") -> str:
    git = shutil.which("git") or "git"
    done = subprocess.run([git, *_QUIET, *args], cwd=folder, input=stdin, capture_output=True, check=True)
    return done.stdout.decode()
