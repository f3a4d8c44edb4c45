"""Agents in processes of their own, forked from one that has imported everything, as the launcher does it."""

from __future__ import annotations

import asyncio
import os
import signal
import struct
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

TIME = struct.Struct("d")
LOOK_S = 1.0
Tell = Callable[[], None]
"""Says to the parent that it is so now."""
Work = Callable[[Tell], Coroutine[object, object, None]]


class Apart:
    """Children, and what they say: moments on the clock that all processes of a machine share."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self.children: list[int] = []

    def fork(self, work: Work) -> None:
        """Has to be called before the parent runs a loop of its own."""
        parent = os.getpid()
        if child := os.fork():
            self.children.append(child)
            return
        try:
            asyncio.run(_while_wanted(work(partial(_tell, self._write)), parent))
        finally:
            os._exit(1)

    async def ear(self) -> asyncio.StreamReader:
        """Where `heard` listens."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._read, "rb")
        )
        return reader

    def cpu_s(self) -> float:
        """What all children have used until now."""
        ticks = 0
        for child in self.children:
            stat = Path(f"/proc/{child}/stat").read_text("utf-8")
            fields = stat.rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        for child in self.children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


async def heard(ear: asyncio.StreamReader) -> float:
    """When the next thing was said, on `time.perf_counter`."""
    [moment] = TIME.unpack(await ear.readexactly(TIME.size))
    return float(moment)


def _tell(pipe: int) -> None:
    os.write(pipe, TIME.pack(time.perf_counter()))


async def _while_wanted(work: Coroutine[object, object, None], parent: int) -> None:
    task = asyncio.create_task(work)
    while not task.done() and os.getppid() == parent:
        await asyncio.wait({task}, timeout=LOOK_S)
