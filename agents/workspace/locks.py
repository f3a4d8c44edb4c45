"""One process at a time: a lock that the kernel lets go of when its holder dies."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callboard.bus.errors import RosterError

PATIENCE_S = 10.0
"""How long the predecessor of an agent may take to end: its guard gives its processes 2 s."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as written into its file; meant for people, never decided by."""

    pid: int
    host: str
    since: datetime

    def to_json(self) -> bytes:
        return json.dumps({"pid": self.pid, "host": self.host, "since": self.since.isoformat()}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Holder:
        """Raises ValueError, TypeError or KeyError: it is none."""
        found = json.loads(text)
        return cls(int(found["pid"]), str(found["host"]), datetime.fromisoformat(found["since"]))


class ProcessLock:
    """A `flock` on a file, held until `release` or the end of the process.

    The file is never removed: a second process could else lock a file that has no name any more.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock, or fail at once.

        Raises:
            RosterError: Another process holds it; the message names its pid, host and since when.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise RosterError(self._refusal()) from None
        holder = Holder(pid=os.getpid(), host=socket.gethostname(), since=datetime.now(UTC))
        os.ftruncate(fd, 0)
        os.pwrite(fd, holder.to_json(), 0)
        self._fd = fd

    def release(self) -> None:
        """Let go; nothing happens when it is not held."""
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._fd is not None

    def holder(self) -> Holder | None:
        """Who holds the lock now; None when nobody does, or the holder has not written its name yet."""
        if self._fd is None and not self._taken():
            return None
        try:
            return Holder.from_json(self.path.read_bytes())
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def _taken(self) -> bool:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False

    def _refusal(self) -> str:
        holder = self.holder()
        who = (
            f"process {holder.pid} on {holder.host} has it since {holder.since:%Y-%m-%d %H:%M:%SZ}"
            if holder
            else "another process has just taken it"
        )
        return f"`{self.path.name}` is already running here: {who}; stop it first (`callboard stop`)"


async def acquire(lock: ProcessLock, patience_s: float = PATIENCE_S) -> None:
    """Take a lock that a dying process may still hold for a moment.

    Raises:
        RosterError: It is still held after `patience_s`.
    """
    import asyncio  # here: commands that only look at a lock would wait for it

    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        try:
            lock.acquire()
        except RosterError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            return
