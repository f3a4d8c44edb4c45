"""A process whose wall clock is wrong.

    python shifted_process.py URL RUN SECONDS,... [own]

Its clock is SECONDS ahead, of each number in turn. It tries to take over what others hold with a lease of half an hour, fires what is due, forgets
consumers that were silent for half an hour, repeats a message that was sent once, and sets a timer for in half an hour. With
`own` its scripts go by its own clock instead of the server's. It prints what it got, as JSON, a line each.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from datetime import UTC, datetime, timedelta

from handlers import message, progress

from callboard.bus.bus import Bus
from callboard.bus.link import Link
from callboard.bus.messages import Outcome, Timer
from callboard.bus.script import Script, load

HALF_HOUR_S = 1_800.0
SERVERS_CLOCK = "local now = redis.call('TIME')"


def own_clock(name: str) -> Script:
    """The script, with the time of this process in it."""
    script = load(name)
    text = script.text.replace(SERVERS_CLOCK, f"local now = {{{time.time():.0f}, 0}}")
    assert text != script.text
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


REAL = time.time


async def main(url: str, run: str, seconds: float, own: bool) -> None:
    time.time = lambda: REAL() + seconds
    time.time_ns = lambda: int(time.time() * 1e9)

    def now() -> datetime:
        return datetime.fromtimestamp(time.time(), UTC)

    bus = Bus(Link(url, patience_s=5.0, scripts=own_clock if own else load), run, now)
    inbox = bus.inbox("driver-1", f"driver-1.there.{seconds:.0f}")
    await bus.send(message("repeat"), sender="person", idempotency_key="k")
    found = {
        "taken": len(await inbox.take_over(idle_s=HALF_HOUR_S)),
        "fired": await bus.fire_due_timers(),
        "forgotten": await inbox.forget_dead_consumers(silent_s=HALF_HOUR_S),
    }
    await bus.send(message("own"), sender="manager")
    for each in await inbox.receive(10, block_s=0):
        timers = (Timer(timedelta(seconds=HALF_HOUR_S), progress("later")), Timer(timedelta(0), progress("now")))
        await each.commit(Outcome(timers=timers))
    found["fired now"] = await bus.fire_due_timers()
    print(json.dumps(found))
    await bus.close()


if __name__ == "__main__":
    for number in sys.argv[3].split(","):
        asyncio.run(main(sys.argv[1], sys.argv[2], float(number), "own" in sys.argv[4:]))
