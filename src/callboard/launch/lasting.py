"""Work beside a roster that lasts as long as the launch: what dies of an error that nobody foresaw is said, and begun again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from loguru import logger

FIRST_AFTER_S = 1.0
LONGEST_AFTER_S = 30.0


async def lasting(
    what: str,
    work: Callable[[], Awaitable[object]],
    say: Callable[[str], None],
    stop: asyncio.Event | None = None,
    *,
    after_s: float = FIRST_AFTER_S,
) -> None:
    """Do a piece of work until it ends by itself; one that dies is begun again, ever later.

    Args:
        what: For people: what is missing meanwhile.
        say: Told, as a sentence, once for each reason.
        stop: Set: what dies now has had its last try.
        after_s: Before it is begun again the first time.
    """
    said, stop = set[str](), stop or asyncio.Event()
    while True:
        try:
            await work()
            return
        except Exception as error:  # noqa: BLE001 - the edge of work that nobody waits for until the launch ends
            reason = f"{type(error).__name__}: {error}"
            logger.opt(exception=error).error("work beside the roster died", what=what)
        if stop.is_set():
            say(f"{what} ended with an error, {reason}; the next launch goes on from there")
            return
        if reason not in said:
            said.add(reason)
            say(f"{what} died of an error, {reason}; it is begun again, see `callboard logs launcher`")
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), after_s)
        after_s = min(2 * after_s, LONGEST_AFTER_S)
