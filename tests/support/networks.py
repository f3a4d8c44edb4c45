"""The network between a client and a server: a TCP proxy that can be cut, fall silent, lead elsewhere, and speak TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK = 1 << 16


class Network:
    """Listens on a port of loopback and passes everything on to another one.

    Args:
        port: Where the server listens.
        tls: What clients are greeted with; None = no TLS.
    """

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._upstream = port
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._serving = set[asyncio.Task[None]]()
        self._open = set[asyncio.StreamWriter]()
        self._is_cut = False
        self._is_silent = False
        self._dead = set[asyncio.StreamWriter]()
        """Connections that have fallen silent: nothing that is said on them arrives, and nobody is told."""

    async def __aenter__(self) -> Network:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await asyncio.gather(*self._serving)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"redis{'s' if self._tls else ''}://127.0.0.1:{self.port}/0"

    def lead_to(self, port: int) -> None:
        """Pass new connections on to another server, as a name or a virtual address does after a failover."""
        self._upstream = port
        self.cut()
        self.heal()

    def cut(self) -> None:
        """End every connection, and every new one at once."""
        self._is_cut = True
        for writer in self._open:
            writer.transport.abort()

    def fall_silent(self) -> None:
        """Keep every connection, take new ones, and let nothing through: both ends believe that they are connected."""
        self._is_silent = True
        self._dead |= self._open

    def heal(self) -> None:
        """New connections get through. Those that fell silent stay so."""
        self._is_cut = self._is_silent = False

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        if self._is_cut:
            writer.transport.abort()
            return
        with self._counted(writer):
            try:
                up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
            except OSError:
                return
            with self._counted(up_writer):
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._pass_on(reader, up_writer))
                    group.create_task(self._pass_on(up_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while said := await reader.read(CHUNK):
                if writer not in self._dead:
                    writer.write(said)
                    await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    @contextmanager
    def _counted(self, writer: asyncio.StreamWriter) -> Iterator[None]:
        self._open.add(writer)
        if self._is_silent:
            self._dead.add(writer)
        try:
            yield
        finally:
            self._open.discard(writer)
            self._dead.discard(writer)
            writer.transport.abort()


def server_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
