"""Stopping what runs for a task: the whole process tree at once, the work kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import NoReturn, TypeVar

from callboard.agents.driver.progress import Progress
from callboard.agents.driver.pulse import Pulse

T = TypeVar("T")


class Stopped(Exception):
    """The task was taken away while it was worked on; `str()` is why."""


class Stop:
    """One attempt's switch: thrown once, by a notice, for what runs now and what would run next."""

    def __init__(self) -> None:
        self._thrown = asyncio.Event()
        self._reason = ""

    @property
    def thrown(self) -> bool:
        return self._thrown.is_set()

    def throw(self, reason: str) -> None:
        self._reason = self._reason or reason
        self._thrown.set()

    def check(self) -> None:
        """Go no further.

        Raises:
            Stopped: It was thrown.
        """
        if self.thrown:
            raise Stopped(self._reason)

    async def wait(self) -> NoReturn:
        """Wait until it is thrown.

        Raises:
            Stopped: Always, then.
        """
        await self._thrown.wait()
        raise Stopped(self._reason)


async def until_stopped(work: Awaitable[T], stop: Stop, progress: Progress | Pulse | None = None) -> T:
    """Run `work`; whatever ends it, nothing of it is left running.

    Args:
        progress: Its pump runs beside the work; if that fails, so does the work.

    Raises:
        Stopped: The switch was thrown before the work had ended.
    """
    main = asyncio.ensure_future(work)
    switch = asyncio.ensure_future(stop.wait())
    pump = [asyncio.ensure_future(progress.pump())] if progress else []
    try:
        await asyncio.wait({main, switch, *pump}, return_when=asyncio.FIRST_COMPLETED)
        if not main.done():
            for ended in (task for task in (switch, *pump) if task.done()):
                ended.result()
        return await main
    finally:
        main.cancel()
        switch.cancel()
        if progress:
            progress.close()  # not cancelled: a send under way is finished
        tasks = {main, switch, *pump}
        await asyncio.wait(tasks)
        for task in tasks:
            _ = task.cancelled() or task.exception()  # what counted was raised above; the rest is looked at, not logged
