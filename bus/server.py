"""The embedded server: a real Redis-compatible server in a folder, with every accepted write on disk before its answer."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from loguru import logger
from redis import exceptions

from callboard.bus.binary import find_binary
from callboard.bus.errors import BusUnavailable
from callboard.bus.link import ask, client
from callboard.bus.places import private_folder, socket_path

__all__ = ["EmbeddedServer", "find_binary"]

LOG = "server.log"
OUTPUT = "server.out"
"""What it says before it has read where its log is."""
START_S = 30.0
"""How long the server may take to load its data and answer."""
STOP_S = 10.0
LEAST_BYTES_TO_START = 32 * 1024 * 1024
"""With less the server would end at its first write, for it writes every command to disk."""


def server_argv(binary: Path, data_dir: Path, socket: Path) -> list[str]:
    """The server's command line. `always`: an answer means that the write is on disk."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "always",
        "save": "",
        "daemonize": "no",
        "maxmemory-policy": "noeviction",
        "logfile": str(data_dir / LOG),
    }
    return [str(binary), *(part for name, value in options.items() for part in (f"--{name}", value))]


class EmbeddedServer:
    """The server of one folder. It can be started again, by this object or by the next process.

    Args:
        data_dir: Where its data and its log are; made with mode 0700.
        prefix: Words put in front of the server's command line: a program that ends it when we end.
        binary: The server to run; None = the one that wrote the data, else find_binary().
        least_free_bytes: It is not started with less space.
        lock_s: How long the server of a launcher that was killed may take to end.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        prefix: Sequence[str] = (),
        binary: Path | None = None,
        least_free_bytes: int = LEAST_BYTES_TO_START,
        lock_s: float = STOP_S,
    ) -> None:
        self.data_dir = data_dir
        self.socket = socket_path(data_dir)
        self._prefix = tuple(prefix)
        self._binary = binary
        self._least_free_bytes = least_free_bytes
        self._lock_s = lock_s
        self._process: asyncio.subprocess.Process | None = None
        self._lock_fd = -1

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """Of the process that was started: the server, or the program in front of it; 0 when there is none."""
        return self._process.pid if self._process is not None and self.alive else 0

    async def start(self) -> str:
        """Start it and wait until it answers; its URL. Does nothing when it runs.

        Raises:
            BusUnavailable: No server program, no space, another server in this folder, or it ended at once.
        """
        if self.alive:
            return self.url
        self._drop_lock()
        private_folder(self.data_dir)
        self._check_space()
        try:
            await self._take_lock()
            # Only now: who held the lock may have been ending, and takes the socket's folder away.
            private_folder(self.socket.parent)
            await self._launch(await asyncio.to_thread(self._choose_binary))
        except BaseException:
            # Broken off while it starts, it is left to stop(), with its lock.
            if not self.alive:
                self._drop_lock()
            raise
        return self.url

    async def _launch(self, binary: Path) -> None:
        if await self._answers():
            raise BusUnavailable(f"another server answers at {self.socket}; stop it, then try again")
        argv = [*self._prefix, *server_argv(binary, self.data_dir.absolute(), self.socket)]
        # The lock goes to the child: while the server lives no second one starts on its data, even when we are gone.
        # Its stdin stays open as long as we live: that is how a program in front of it learns that we are gone.
        try:
            with (self.data_dir / OUTPUT).open("wb") as out:
                self._process = await asyncio.create_subprocess_exec(
                    *argv,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=out,
                    stderr=out,
                    pass_fds=(self._lock_fd,),
                    start_new_session=True,
                )
        except OSError as error:
            raise BusUnavailable(f"the server could not be started in {self.data_dir}: {error}") from error
        await self._until_it_answers(self._process)
        logger.info("server started", socket=str(self.socket), pid=self._process.pid, binary=str(binary))

    def _choose_binary(self) -> Path:
        """The one that wrote the data, while it is there: an older server cannot read what a newer one wrote."""
        note = self.data_dir / "server.binary"
        wrote = Path(note.read_text("utf-8")) if note.exists() else None
        is_there = wrote is not None and wrote.is_file() and os.access(wrote, os.X_OK)
        found = self._binary or (wrote if wrote is not None and is_there else find_binary())
        if found != wrote:
            new = note.with_suffix(".new")
            new.write_text(str(found), "utf-8")
            new.replace(note)
        return found

    async def stop(self) -> None:
        """Stop it cleanly; everything stays on disk."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            logger.error("server did not stop when asked, killing it", pid=process.pid)
            process.kill()
            await process.wait()
        self._process = None
        if self.socket.parent != self.data_dir.absolute():
            await asyncio.to_thread(shutil.rmtree, self.socket.parent, ignore_errors=True)
        self._drop_lock()

    async def _answers(self) -> bool:
        asking = client(self.url, socket_timeout_s=1.0)
        try:
            await ask(asking, "PING")
        except exceptions.BusyLoadingError:
            return False
        except (exceptions.RedisError, OSError):
            return False
        finally:
            await asking.aclose()
        return True

    async def _until_it_answers(self, process: asyncio.subprocess.Process) -> None:
        log, deadline = self._log_size(), asyncio.get_running_loop().time() + START_S
        while not await self._answers():
            if process.returncode is not None:
                raise BusUnavailable(f"the server ended at its start: {self._last_words(log)}")
            if asyncio.get_running_loop().time() > deadline:
                await self.stop()
                raise BusUnavailable(f"the server did not answer within {START_S:.0f} s: {self._last_words(log)}")
            await asyncio.sleep(0.02)

    async def _take_lock(self) -> None:
        """Wait for the lock: the server of a launcher that was killed may be ending just now."""
        self._lock_fd = os.open(self.data_dir / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = asyncio.get_running_loop().time() + self._lock_s
        while True:
            try:
                return fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() > deadline:
                    raise BusUnavailable(
                        f"another server already works on {self.data_dir}; is a roster running here? "
                        "`callboard stop` ends it"
                    ) from None
                await asyncio.sleep(0.05)

    def _drop_lock(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.data_dir).free
        if free < self._least_free_bytes:
            raise BusUnavailable(
                f"only {free // 1_000_000} MB free for {self.data_dir}; the server needs "
                f"{self._least_free_bytes // 1_000_000} MB to start. Free some space; nothing is lost"
            )

    def _log_size(self) -> int:
        log = self.data_dir / LOG
        return log.stat().st_size if log.exists() else 0

    def _last_words(self, since: int) -> str:
        """What it said since its start: on its output, and in its log after `since` bytes."""
        said = (self.data_dir / OUTPUT).read_bytes()
        if (self.data_dir / LOG).exists():
            said += b"\n" + (self.data_dir / LOG).read_bytes()[since:]
        lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
        return " | ".join(lines[-5:]) or "it said nothing"
