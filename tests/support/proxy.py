"""A proxy in front of a real server that loses replies: the server has done what was asked, and nobody hears of it."""

from __future__ import annotations

import asyncio
from pathlib import Path


class LosingProxy:
    """Listens on a unix socket in `folder`; `lose` says how many replies to come are lost, with their connection.

    Only replies to commands that hold `to` are lost, such as `XREADGROUP`.
    """

    def __init__(self, folder: Path, upstream: Path) -> None:
        self.path = folder / "p.sock"
        self.url = f"unix://{self.path}"
        self._upstream = upstream
        self._lose = 0
        self._to = b""
        self.lost = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    def lose(self, count: int, *, to: str = "EVAL") -> None:
        self._lose, self._to = count, to.encode()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(self._upstream)
        try:
            while asked := await reader.read(1 << 20):
                up_writer.write(asked)
                answer = await up_reader.read(1 << 20)
                if self._lose and self._to in asked and not answer.startswith(b"-NOSCRIPT"):
                    self._lose -= 1
                    self.lost += 1
                    return
                writer.write(answer)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            writer.close()
            up_writer.close()
