"""The end of tasks that are needed no more."""

from __future__ import annotations

import asyncio
from typing import TypeVar

T = TypeVar("T")

AGAIN_AFTER_S = 1.0


async def end(*tasks: asyncio.Future[T]) -> None:
    """Cancel tasks until they have ended; what they raised is forgotten.

    Once may not be enough: below Python 3.12 asyncio.wait_for, which libraries use, loses a cancellation that comes in the
    moment in which it is done (cpython#86296), and who then waits for the task waits for ever.
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=AGAIN_AFTER_S)
    await asyncio.gather(*tasks, return_exceptions=True)
