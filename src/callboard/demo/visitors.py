"""Those who use the demo's service while it is deployed: requests at a steady rate, over connections that stay open."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

RATE = 40.0
"""Requests a second, together."""
CATCH_UP = 10
"""At most so many at once after the computer was busy, so that no burst stands in for a rate."""
PATIENCE_S = 30.0
"""For one answer."""

GOOD = b'{"url": "https://example.org/a/long/way"}'
MISTYPED = b'{"url": "example,org"}'


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    body: bytes
    wanted: int
    """The status of the right answer."""

    def text(self) -> bytes:
        head = f"{self.method} {self.path} HTTP/1.1\r\nHost: links\r\nContent-Length: {len(self.body)}\r\n\r\n"
        return head.encode() + self.body


KEEP, MISTYPE = Request("POST", "/links", GOOD, 201), Request("POST", "/links", MISTYPED, 400)
TURN = (KEEP, MISTYPE, Request("GET", "/health", b"", 200), KEEP, MISTYPE)
"""What they ask, again and again. Links are in the memory of one release, so nobody asks for one that was kept."""


@dataclass(slots=True)
class Visits:
    sent: int = 0
    answered: int = 0
    """With the right answer."""
    failed: int = 0
    """With another one, or with none."""
    seconds: float = 0.0


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Visitors:
    """Begin with `come`, end with `leave`; both may be called again."""

    port: int
    visits: Visits = field(default_factory=Visits)
    _idle: deque[Connection] = field(default_factory=deque)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _work: asyncio.Task[None] | None = None

    def come(self) -> None:
        self._work = self._work or asyncio.ensure_future(self._visit())

    async def leave(self) -> None:
        """Wait for the answers that are under way."""
        self._left.set()
        if self._work is not None:
            await self._work

    async def _visit(self) -> None:
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.TaskGroup() as requests:
            while not self._left.is_set():
                due = int((clock() - began) * RATE) - self.visits.sent
                for _ in range(min(due, CATCH_UP)):
                    requests.create_task(self._ask(TURN[self.visits.sent % len(TURN)]))
                    self.visits.sent += 1
                await asyncio.sleep(1 / RATE)
        self.visits.seconds = clock() - began
        for _, writer in self._idle:
            writer.close()

    async def _ask(self, request: Request) -> None:
        status = 0
        try:
            async with asyncio.timeout(PATIENCE_S):
                connection = self._kept() or await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    status = await self._answer(connection, request)
                finally:
                    if not status:
                        connection[1].close()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            status = 0
        self.visits.answered += status == request.wanted
        self.visits.failed += status != request.wanted

    async def _answer(self, connection: Connection, request: Request) -> int:
        """The status of a whole answer."""
        reader, writer = connection
        writer.write(request.text())
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        await reader.readexactly(int(fields[b"content-length"]))
        if fields.get(b"connection") == b"close":
            writer.close()
        else:
            self._idle.append(connection)
        return int(head.split(b" ", 2)[1])

    def _kept(self) -> Connection | None:
        """A connection that is open and not in use."""
        while self._idle:
            reader, writer = self._idle.popleft()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None
