"""The launcher's side of the fork server: agents by request, each with a guard of its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from callboard.launch.children import GRACE_S, KILLED, Process


@dataclass(slots=True)
class ForkServer:
    """Starts agents by forking a process that has imported everything; it is started again when it has died.

    Args:
        argv: Its command line, without the number of its control socket, which goes behind.
        env: The whole environment of it and of every agent.
        log: Its stdout and stderr are appended here.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    _control: socket.socket | None = field(default=None, init=False)
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    """Of `open`: two agents that find it dead at once start one."""

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    async def open(self) -> None:
        """Start it; it imports while we go on."""
        await self.close()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self.log.open("ab") as out:
            self._control = ours
            self._process = await asyncio.create_subprocess_exec(
                *self.argv,
                str(theirs.fileno()),
                env=dict(self.env),
                cwd=self.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    async def close(self) -> None:
        """End it. What it forked lives on; what it was only asked for does not come any more."""
        control, self._control = self._control, None
        process, self._process = self._process, None
        if control is not None:
            control.close()
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def start(self, words: Sequence[str], log: Path) -> Process:
        """Ask for an agent.

        Args:
            words: What comes after `callboard` on its command line.

        Raises:
            OSError: No fork server can be started.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        life_reading, life = os.pipe()
        news, news_writing = os.pipe()
        try:
            with log.open("ab") as out:
                await self._send(words, (life_reading, news_writing, out.fileno()))
        except BaseException:
            os.close(life)
            os.close(news)
            raise
        finally:
            os.close(life_reading)
            os.close(news_writing)
        return await Forked.follow(life, news)

    async def _send(self, words: Sequence[str], descriptors: Sequence[int]) -> None:
        packet = json.dumps({"words": list(words), "grace_s": GRACE_S}).encode()
        async with self._lock:
            try:
                if self._control is None:
                    await self.open()
                self._hand_over(packet, descriptors)
            except (BrokenPipeError, ConnectionResetError):
                logger.warning("the fork server had died and is started again")
                await self.open()
                self._hand_over(packet, descriptors)

    def _hand_over(self, packet: bytes, descriptors: Sequence[int]) -> None:
        assert self._control is not None
        socket.send_fds(self._control, [packet], descriptors)


class Forked:
    """One agent's guard, as the launcher sees it."""

    def __init__(self, life: int, news: asyncio.StreamReader, transport: asyncio.BaseTransport) -> None:
        self.pid = 0
        self._life = life
        self._transport = transport
        self._ended = asyncio.create_task(self._listen(news))

    @classmethod
    async def follow(cls, life: int, news: int) -> Forked:
        """Both descriptors are ours from here on."""
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(news, "rb"))
        return cls(life, reader, transport)

    async def wait(self) -> int:
        """Its exit code, once nothing of it is left."""
        return await asyncio.shield(self._ended)

    def ask(self) -> None:
        with suppress(OSError):
            os.write(self._life, b"!")

    def end(self) -> None:
        life, self._life = self._life, -1
        if life >= 0:
            os.close(life)

    async def _listen(self, news: asyncio.StreamReader) -> int:
        said: list[int] = []
        try:
            while line := await news.readline():
                said.append(int(line))
                self.pid = said[0]
        finally:
            self._transport.close()
        return said[1] if len(said) > 1 else KILLED
