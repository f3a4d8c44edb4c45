"""A scribe for a process of its own; ends well on SIGTERM.

It names every journal entry it is about to fold on its stdout, so that a test can kill it there.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.history import BranchHistory
from callboard.bus.bus import Bus
from callboard.bus.journal import JournalEntry
from callboard.bus.messages import Draft, Envelope
from callboard.feedback.scribe import Scribe


class Telling:
    """A bus whose journal is told aloud while it is read."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def journal(self, after: int = 0, *, follow: bool = False) -> AsyncIterator[JournalEntry]:
        async for entry in self._bus.journal(after, follow=follow):
            print(entry.seq, flush=True)
            yield entry

    async def seq(self) -> int:
        return await self._bus.seq()

    async def send(self, draft: Draft, *, sender: str, idempotency_key: str = "") -> Envelope:
        return await self._bus.send(draft, sender=sender, idempotency_key=idempotency_key)


async def main(url: str, run: str, repository: Path, commit_every_s: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bus = await Bus.connect(url, run)
    scribe = Scribe(
        run,
        repository / "feedback",
        BranchHistory(Repository(repository)),
        may_send=lambda sender, kind: True,
        clock=time.monotonic,
        commit_every_s=commit_every_s,
        rotate_bytes=1_500,
    )
    await scribe.run(Telling(bus), stop)
    await bus.close()
