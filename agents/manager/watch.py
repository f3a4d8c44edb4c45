"""Reads the direction files, at the start and whenever they change, and tells the desk what they say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from callboard.agents.manager.decision import MANAGER
from callboard.bus.board import RunDoc
from callboard.bus.bus import Bus
from callboard.bus.errors import ConfigError, InboxFull
from callboard.bus.messages import DirectionFile, DirectionsRead, Draft
from callboard.bus.task import Briefing
from callboard.directions.check import conflicts
from callboard.directions.document import Direction, Problem
from callboard.directions.parse import read_direction

LOOK_EVERY_S = 1.0
"""How soon an edited file is noticed; looking costs one `stat` per file."""
AGAIN_S = 10.0
"""How long after they were told a run may still await them. A server that lost its inboxes may have them handled before the
message of the launch, and then they are told once more."""


@dataclass(slots=True)
class DirectionsWatch:
    """Watches one folder of direction files.

    Args:
        folder: Where they are.
        shown: The same as people write it, from the top of the repository.
        agents: The roster; files of other names are not read.
        landed: Task key -> digest of what earlier runs finished.
    """

    bus: Bus
    folder: Path
    shown: str
    agents: Sequence[str]
    landed: Mapping[str, str]
    again_s: float = AGAIN_S
    _seen: tuple[tuple[str, int, int], ...] | None = field(default=None, init=False)
    _looked_at: float = field(default=0.0, init=False)
    """At the run, whether it awaits them; on the monotonic clock."""

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            seen = await asyncio.to_thread(self._look)
            if seen != self._seen or await self._is_awaited():
                body = await asyncio.to_thread(self.read)
                try:
                    await self.bus.send(Draft(MANAGER, body), sender=MANAGER)
                    self._seen, self._looked_at = seen, time.monotonic()
                except InboxFull as error:
                    logger.warning("directions not told, trying again", error=str(error))
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)
            except TimeoutError:
                continue

    async def _is_awaited(self) -> bool:
        if time.monotonic() - self._looked_at < self.again_s:
            return False
        self._looked_at = time.monotonic()
        return (await self.bus.doc("run", RunDoc)).awaits_directions

    def read(self) -> DirectionsRead:
        return read_directions(self.folder, self.shown, self.agents, self.landed)

    def _look(self) -> tuple[tuple[str, int, int], ...]:
        found = []
        for name in self.agents:
            try:
                stat = (self.folder / f"{name}.md").stat()
            except OSError:
                continue
            found.append((name, stat.st_mtime_ns, stat.st_size))
        return tuple(found)


def read_directions(
    folder: Path, shown_folder: str, agents: Sequence[str], landed: Mapping[str, str]
) -> DirectionsRead:
    """All files of the roster as they are now; one that cannot be read leaves its tasks as they are."""
    read: list[Direction] = []
    unreadable: list[DirectionFile] = []
    for name in agents:
        path, shown = folder / f"{name}.md", f"{shown_folder}/{name}.md"
        if not path.exists():
            continue
        try:
            read.append(read_direction(path, shown=shown))
        except ConfigError as error:
            briefing = Briefing(agent=name, version="", path=shown)
            unreadable.append(DirectionFile(briefing=briefing, tasks=(), problems=(str(error),)))
    # nobody knows what those have that cannot be read, so nothing is said to be missing then
    at_odds = conflicts(read, agents=None if unreadable else agents)
    files = [_file(direction, own) for direction, own in zip(read, at_odds, strict=True)]
    return DirectionsRead(
        files=(*files, *unreadable),
        landed=dict(landed),
        unreadable=tuple(file.briefing.path for file in unreadable),
    )


def _file(direction: Direction, at_odds: Iterable[Problem]) -> DirectionFile:
    briefing = direction.briefing()
    problems = [
        f"{briefing.path}:{problem.line}: {problem.message}" for problem in sorted({*direction.problems, *at_odds})
    ]
    return DirectionFile(briefing=briefing, tasks=direction.tasks, problems=tuple(problems))
