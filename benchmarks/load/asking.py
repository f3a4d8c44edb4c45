"""Many who ask at a steady rate, and many who listen to a run's events: over loopback, with plain sockets.

How long an answer took counts from the moment the request was due, not from when it could be sent: a server that stands still
for a second is not asked less by people who wait for it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

MOST_LINE = 16 * 1024 * 1024
"""A journal entry is one line of its event."""
LONGEST_S = 30.0
"""An answer that takes longer is an error."""


@dataclass(slots=True)
class Asked:
    """What became of the requests."""

    sent: int = 0
    sending_s: float = 0.0
    seconds: float = 0.0
    """From the first request until the last one was answered."""
    took_ms: list[float] = field(default_factory=list)
    """Of those that were answered well."""
    errors: Counter[str] = field(default_factory=Counter)
    """Status or exception, with the path -> how often."""


@dataclass(slots=True)
class Listener:
    """One client of the run's events."""

    events: int = 0
    last: int = 0
    """The number of its last entry."""
    error: str = ""


async def ask(
    port: int, token: str, paths: Sequence[str], per_s: float, most: int, is_over: Callable[[], bool]
) -> Asked:
    """Ask for the paths in turn until it is over, or `most` were sent; those in flight are waited for."""
    asked, loop = Asked(), asyncio.get_running_loop()
    began = loop.time()
    requests = []
    while not is_over() and asked.sent < most:
        due = began + asked.sent / per_s
        await asyncio.sleep(max(0.0, due - loop.time()))
        path = paths[asked.sent % len(paths)]
        requests.append(asyncio.create_task(_request(port, token, path, due, asked)))
        asked.sent += 1
    asked.sending_s = loop.time() - began
    await asyncio.gather(*requests)
    asked.seconds = loop.time() - began
    return asked


async def _request(port: int, token: str, path: str, due: float, asked: Asked) -> None:
    """On a connection of its own: one that stood idle may be closed by the server just as it is used."""
    try:
        async with asyncio.timeout(LONGEST_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with closing(writer):
                writer.write(_head(path, token, "Connection: close\r\n"))
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                [length] = [line for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length.partition(b":")[2]))
    except (OSError, EOFError, ValueError) as error:
        asked.errors[f"{path}: {type(error).__name__}"] += 1
        return
    status = head.split(b" ", 2)[1].decode()
    if status == "200":
        asked.took_ms.append((asyncio.get_running_loop().time() - due) * 1000)
    else:
        asked.errors[f"{path}: {status}"] += 1


async def listen(port: int, token: str, run: str, listener: Listener) -> None:
    """Read a run's events from the first on, until cancelled or the server ends it."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MOST_LINE)
        writer.write(_head(f"/runs/{run}/events", token))
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n")[0]:
            listener.error = head.split(b"\r\n")[0].decode()
            return
        while line := await reader.readline():
            if line.startswith(b"id: "):
                listener.events += 1
                listener.last = int(line[4:])
        listener.error = "the server ended it"
    except (OSError, EOFError, ValueError) as error:
        listener.error = f"{type(error).__name__}: {error}"


def _head(path: str, token: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n{more}\r\n".encode()
