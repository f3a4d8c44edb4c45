"""A Runtime in a process of its own, so that tests can kill and pause it.

    python runtime_process.py URL RUN CONSUMER LEASE_S MARKS

What it does follows from a message's task, up to the slash, which is its lane too:
    poison     kills its own process at once
    persist/N  emits progress, then kills its process, N times; the file MARKS counts them
    pause      stops its own process (SIGSTOP), and when that goes on, returns
    block      blocks its event loop for three leases
    others     return

It says what it begins on stdout, a line each: `began TASK`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

from handlers import progress

from callboard.agents.runtime import Runtime, Work
from callboard.bus.bus import Bus
from callboard.bus.messages import Envelope, Outcome


class Actor:
    def __init__(self, lease_s: float, marks: Path) -> None:
        self._lease_s = lease_s
        self._marks = marks

    def lane(self, envelope: Envelope) -> str:
        return envelope.task.partition("/")[0]

    async def handle(self, work: Work) -> Outcome:
        task = work.envelope.task
        what, _, number = task.partition("/")
        print(f"began {task}", flush=True)
        if what == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "persist":
            await work.emit(progress())
            self._marks.write_text(f"{self._marks.read_text() if self._marks.exists() else ''}.")
            if len(self._marks.read_text()) <= int(number):
                os.kill(os.getpid(), signal.SIGKILL)
        elif what == "pause":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif what == "block":
            time.sleep(3 * self._lease_s)  # noqa: ASYNC251 - blocking the loop is what is tested
        return Outcome(messages=(progress(f"{task} by {os.getpid()}"),))


async def main(url: str, run: str, consumer: str, lease_s: float, marks: Path) -> None:
    bus = await Bus.connect(url, run)
    runtime = Runtime(
        bus,
        {"driver-1": Actor(lease_s, marks)},
        consumer,
        may_send=lambda sender, kind: True,
        handler_timeout_s=60.0,
        lease_s=lease_s,
        renew_s=lease_s / 3,
        sweep_s=0.1,
    )
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await runtime.run(stop)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]), Path(sys.argv[5])))
