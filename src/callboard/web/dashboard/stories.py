"""The timelines of runs, kept up as their journals grow: each entry is read once, whoever looks and however often."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from callboard.bus.archive import FileArchive
from callboard.bus.bus import Bus
from callboard.bus.journal import decode_entry
from callboard.web.dashboard.timeline import SAYS, Story


@dataclass(slots=True)
class Stories:
    """Of one workspace."""

    _kept: dict[str, Story] = field(default_factory=dict)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Protects them: two requests would read the same entries twice."""

    async def of(self, run: str, archive: FileArchive, bus: Bus | None) -> Story:
        """The run's, up to now.

        Args:
            archive: Most of the journal is there, and is read in a thread.
            bus: Has the rest; None = no server runs, so there is no rest.
        """
        async with self._reading:
            story = self._kept.setdefault(run, Story())
            await asyncio.to_thread(_catch_up, story, archive)
            if bus is not None:
                async for entry in bus.journal(story.seq):
                    story.take(entry)
            return story


def _catch_up(story: Story, archive: FileArchive) -> None:
    for row in archive.rows(story.seq):
        if SAYS.search(row.entry):
            story.take(decode_entry({b"seq": b"%d" % row.seq, b"at": b"%d" % row.at, b"entry": row.entry.encode()}))
        else:
            story.seq = row.seq
