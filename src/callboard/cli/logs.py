"""`callboard logs`: what the processes of the roster wrote, as against the feedback logs, which say what agents did."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from callboard.bus.errors import RosterError
from callboard.cli.options import JsonLines
from callboard.cli.output import listed, note, print_json, print_json_line, say
from callboard.cli.session import open_workspace

LOOK_S = 0.3


def logs(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="An agent's name, or `launcher`.")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is written next, until Ctrl-C.")
    ] = False,
    last: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines to begin with.")] = 200,
    json: JsonLines = False,
) -> None:
    """What an agent's process wrote.

    What the agent did, in words, stands in `callboard feedback AGENT`.
    """
    folder = open_workspace().layout.home / "logs"
    path = find_log(folder, agent)
    if json and not follow:
        print_json({"agent": agent, "path": str(path), "lines": list(last_lines(path, last))})
        return
    if not follow and not path.stat().st_size:
        note(f"{agent}'s process wrote nothing; what it did stands in `callboard feedback {agent}`")
    for line in following(path, last, wait=lambda: time.sleep(LOOK_S)) if follow else last_lines(path, last):
        if json:
            print_json_line({"agent": agent, "line": line})
        else:
            say(line)
        sys.stdout.flush()


def find_log(folder: Path, agent: str) -> Path:
    """Raises:
    RosterError: There is no such log; the message names those there are.
    """
    names = sorted(path.stem for path in folder.glob("*.log"))
    if agent not in names:
        there = f"there are: {listed(names)}" if names else "nothing was launched here yet"
        raise RosterError(f"no process log of {agent!r} in {folder}; {there}")
    return folder / f"{agent}.log"


def last_lines(path: Path, count: int) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from (line.rstrip("\n") for line in deque(file, maxlen=count))


def following(path: Path, count: int, wait: Callable[[], None]) -> Iterator[str]:
    """The last lines, then every new whole line, for ever; a file that was replaced or cut is read from its beginning."""
    rest = ""
    with path.open(encoding="utf-8", errors="replace") as file:
        lines = file.read().split("\n")
        inode, rest = path.stat().st_ino, lines.pop()
        yield from lines[-count:] if count else ()
        while True:
            new = file.read()
            *whole, rest = (rest + new).split("\n")
            yield from whole
            if new:
                continue
            wait()
            now = path.stat() if path.exists() else None
            if now is not None and (now.st_ino != inode or now.st_size < file.tell()):
                break
    yield from following(path, 1_000_000, wait)
