"""Where a server that is a program runs, and what it may do there. Pure but for making its folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from callboard.agents.brains.brain import Seat
from callboard.agents.brains.mcp.servers import Server
from callboard.agents.workspace.sandbox import Sandbox

CLONE = "{clone}"
"""Stands for the agent's clone in a server's arguments and variables."""


@dataclass(frozen=True, slots=True)
class Place:
    cwd: Path
    env: Mapping[str, str]
    """The whole environment."""
    sandbox: Sandbox


def place_of(server: Server, seat: Seat, folder: Path) -> Place:
    """The program's own folder, in which no brain writes: else what a brain left there would run with the server's keys.

    It may read the clone and not write it: what a tool did is not done again when an attempt resumes in a clone that was
    reset, so nothing of it may be in there.

    Args:
        folder: Below it each server of the agent has its HOME and TMPDIR.

    Effects:
        Those folders exist afterwards.
    """
    own = folder / server.name
    home, temporary = own / "home", own / "tmp"
    for each in (home, temporary):
        each.mkdir(parents=True, exist_ok=True)
    brains = Path(seat.env.get("HOME", seat.cwd))
    writable = [path for path in seat.sandbox.writable if path != seat.cwd and not brains.is_relative_to(path)]
    sandbox = replace(seat.sandbox, writable=tuple(writable)).allowing(
        writable=(own,), readable=(seat.cwd,), connect=server.connect
    )
    env = {**seat.env, "HOME": str(home), "TMPDIR": str(temporary)}
    env |= {name: value.replace(CLONE, str(seat.cwd)) for name, value in server.env.items()}
    return Place(seat.cwd if server.in_clone else home, env, sandbox)


def filled(words: Iterable[str], seat: Seat) -> tuple[str, ...]:
    return tuple(word.replace(CLONE, str(seat.cwd)) for word in words)
