"""A program of a newer version: an agent whose vocabulary has a kind, a version and a field that ours does not have.

    python newer_process.py URL RUN NAME send INBOX COUNT     sends COUNT of each to INBOX
    python newer_process.py URL RUN NAME work                 handles NAME's inbox until SIGTERM; tells `manager` of each

A kind is added as the vocabulary adds its own: by defining a class.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import ClassVar

from handlers import Scripted, progress
from runtimes import everything

from callboard.agents.runtime import Runtime, Work
from callboard.bus.body import Body
from callboard.bus.bus import Bus
from callboard.bus.messages import Draft, Outcome, TaskCancelled


class WeatherReported(Body):
    """A new kind."""

    kind: ClassVar[str] = "weather.reported"
    sky: str


class TaskCancelledAnew(Body):
    """A new version of a kind, which the old readers would misread."""

    kind: ClassVar[str] = "task.cancelled"
    version: ClassVar[int] = 2
    because: str


class TaskCancelledMore(TaskCancelled):
    """The same version with a field more, which the old readers can do without."""

    hint: str = "mind the gap"


async def send(bus: Bus, sender: str, inbox: str, count: int) -> None:
    bodies = {
        "weather": WeatherReported(sky="blue"),
        "anew": TaskCancelledAnew(because="test"),
        "more": TaskCancelledMore(reason="test"),
    }
    for n in range(count):
        for name, body in bodies.items():
            await bus.send(Draft(inbox, body, task=f"{name}-{n}"), sender=sender)


async def tell(work: Work) -> Outcome:
    return Outcome(messages=(progress(f"{work.envelope.task} by the newer one"),))


async def work(bus: Bus, name: str) -> None:
    runtime = Runtime(
        bus, {name: Scripted(tell)}, f"{name}.here.newer", may_send=everything, handler_timeout_s=60, sweep_s=0.05
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await runtime.run(stop)


async def main(url: str, run: str, name: str, what: str, *rest: str) -> None:
    async with await Bus.connect(url, run) as bus:
        await (send(bus, name, rest[0], int(rest[1])) if what == "send" else work(bus, name))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
