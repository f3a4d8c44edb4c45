"""A server that is reached under a URL: streamable HTTP, with answers of a bounded size."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from mcp.client.streamable_http import streamable_http_client

from callboard.agents.brains.mcp.program import MAX_MESSAGE_BYTES, Heard, Streams
from callboard.agents.brains.mcp.servers import Server

CONNECT_S = 30.0


class TooLarge(httpx2.TransportError):
    """An answer is larger than anybody reads."""


@asynccontextmanager
async def remote(server: Server, heard: Heard) -> AsyncIterator[Streams]:
    """The server's messages, both ways. Redirects to elsewhere are not followed: the headers are for this server."""
    timeout = httpx2.Timeout(CONNECT_S, read=server.timeout_s)
    # what is not compressed cannot grow when it is read
    headers = {**server.headers, "Accept-Encoding": "identity"}

    async def look(response: httpx2.Response) -> None:
        heard.fault = f"it answered with HTTP {response.status_code}" if response.is_error else ""
        _bound(response, heard)

    hooks = {"response": [look]}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=timeout, event_hooks=hooks) as client,
        streamable_http_client(server.url, http_client=client, max_sse_event_size=MAX_MESSAGE_BYTES) as streams,
    ):
        yield streams


def _bound(response: httpx2.Response, heard: Heard) -> None:
    """Bound what is read whole; of a stream of events each one is, by who reads them."""
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise TooLarge(f"it answered in {encoding[:40]}, which was not asked for")
    if not response.headers.get("content-type", "").startswith("text/event-stream"):
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Bounded(response.stream, heard)


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, heard: Heard) -> None:
        self._stream = stream
        self._heard = heard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_MESSAGE_BYTES
        async for chunk in self._stream:
            left -= len(chunk)
            if left < 0:
                self._heard.fault = f"it answered with more than {MAX_MESSAGE_BYTES:,} bytes"
                raise TooLarge(self._heard.fault)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
