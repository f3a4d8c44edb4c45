"""Requests at a steady rate over connections that are kept open, from a thread of its own; what became of each is counted."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType

SLOW_EVERY = 20
"""One in so many asks for `/slow`: 5 %."""


@dataclass
class Counts:
    sent: int = 0
    answered: int = 0
    failed: int = 0
    """Answered with another status than 200, or not at all."""
    reset: int = 0
    """Of the failed: the connection went away before the answer was whole."""
    slow: int = 0
    opened: int = 0
    by_release: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def __str__(self) -> str:
        rate = self.answered / self.seconds if self.seconds else 0
        return (
            f"{self.answered} of {self.sent} answered at {rate:.0f}/s over {self.opened} connections, {self.slow} slow, "
            f"{self.failed} failed, {self.reset} reset {dict(self.reasons)}, by release {dict(self.by_release)}"
        )


class Load:
    """As a context: requests run while it is open, and at its end those in flight are waited for.

    Args:
        rate: Requests a second; as many are sent late when the computer is busy, none is left out.
    """

    def __init__(self, port: int, rate: int = 220) -> None:
        self.counts = Counts()
        self._port = port
        self._rate = rate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._stop = asyncio.Event()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._seen = threading.Condition()

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(90)
        assert not self._thread.is_alive()

    def wait_for(self, count: int, release: str = "") -> None:
        """Return once so many more requests were answered, by a release or by any."""
        with self._seen:
            until = self._count(release) + count
            assert self._seen.wait_for(lambda: self._count(release) >= until, 300), str(self.counts)

    def _count(self, release: str) -> int:
        return self.counts.by_release[release] if release else self.counts.answered

    def _run(self) -> None:
        began = time.monotonic()
        self._loop.run_until_complete(self._work())
        self.counts.seconds = time.monotonic() - began
        self._loop.close()

    async def _work(self) -> None:
        began = self._loop.time()
        async with asyncio.TaskGroup() as requests:
            while not self._stop.is_set():
                due = int((self._loop.time() - began) * self._rate)
                # behind by much, it catches up in steps, so that no burst stands in for a rate
                for _ in range(min(due - self.counts.sent, 20)):
                    self.counts.sent += 1
                    requests.create_task(self._request(self.counts.sent))
                await asyncio.sleep(1 / self._rate)
        for _, writer in self._idle:
            writer.close()

    async def _request(self, number: int) -> None:
        path = "/slow" if number % SLOW_EVERY == 0 else "/"
        try:
            reader, writer = self._kept() or await self._open()
        except OSError as error:
            self._failed(f"no connection: {error}", is_reset=False)
            return
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: load\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = await reader.readexactly(int(length.partition(b":")[2]))
        except (OSError, asyncio.IncompleteReadError, StopIteration) as error:
            writer.close()
            self._failed(f"{path}: {type(error).__name__}", is_reset=True)
            return
        if b"connection: close" in head.lower():
            writer.close()
        else:
            self._idle.append((reader, writer))
        status = head.split(b" ", 2)[1].decode()
        self._answered(path, status, body.decode())

    def _kept(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection that is open and not in use."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.counts.opened += 1
        return await asyncio.open_connection("127.0.0.1", self._port)

    def _answered(self, path: str, status: str, release: str) -> None:
        if status != "200":
            self._failed(f"{path}: status {status}", is_reset=False)
            return
        with self._seen:
            self.counts.answered += 1
            self.counts.slow += path == "/slow"
            self.counts.by_release[release] += 1
            self._seen.notify_all()

    def _failed(self, reason: str, *, is_reset: bool) -> None:
        self.counts.failed += 1
        self.counts.reset += is_reset
        self.counts.reasons[reason] += 1
