"""`wait_replicas`: what was written counts once so many replicas have it.

WAIT asks whether the replicas have what *this connection* last wrote. A script that recognises its repeat writes nothing, and
on a new connection WAIT would then be content at once, although nobody has what the first attempt wrote. So a mark is
written in front: what any connection wrote before it stands before it in the stream that replicas follow.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import cast

from redis import exceptions
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection

Arg = str | bytes | int

CONFIRMED = frozenset({"send", "commit", "emit", "bury", "unbury", "reserve", "settle", "restore"})
"""Scripts whose caller goes on as if what it wrote were there for good. Of leases, failures and timers that fired, a
replica that takes over may know an earlier state: then a message is delivered once more."""
WAIT_MS = 1_000
"""How long the server waits for its replicas, each time; less than a command may take."""


class Unconfirmed(Exception):
    """It is written, but too few replicas have it."""

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(f"{found} of {wanted} replicas have confirmed it")
        self.found = found
        self.wanted = wanted


async def confirmed(server: Redis, command: Sequence[Arg], replicas: int, *, mark: str) -> object:
    """Run a script, and wait on the same connection until that many replicas have what it wrote.

    Raises:
        Unconfirmed: Too few had it in time; the script recognises its repeat.
    """
    pool = server.connection_pool
    connection = await cast(Callable[[], Awaitable[AbstractConnection]], pool.get_connection)()
    try:
        packed = connection.pack_commands([("SET", mark, ""), command, ("WAIT", replicas, WAIT_MS)])
        await connection.send_packed_command(packed)
        marked, reply, found = [await _read(connection.read_response) for _ in range(3)]
    except BaseException:
        # replies that are still to come must not reach the next caller
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)
    for each in (reply, marked, found):
        if isinstance(each, exceptions.ResponseError):
            raise each
    if cast(int, found) < replicas:
        raise Unconfirmed(cast(int, found), replicas)
    return reply


async def _read(response: Callable[[], Awaitable[object]]) -> object:
    """The next reply; what the server says against one command must not leave those behind it unread."""
    try:
        return await response()
    except exceptions.ResponseError as error:
        return error
