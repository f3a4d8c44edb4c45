"""A server that is a program: started in the agent's sandbox, ended with whoever started it, heard line by line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp import types
from mcp.client._transport import TransportStreams
from mcp.shared.message import SessionMessage

from callboard.agents.brains.answer import plain
from callboard.agents.brains.mcp.places import Place
from callboard.agents.workspace.commands import GRACE_S, start_guarded

MAX_MESSAGE_BYTES = 8_000_000
"""One line; images come as text in it. What says more is not listened to any longer."""
TAIL_BYTES = 2_000
EXIT_S = 1.0
"""How long a program may take to end by itself once its stdin has ended (MCP specification, lifecycle)."""
_CHUNK = 64 * 1024

Streams = TransportStreams
ToUs = MemoryObjectSendStream[SessionMessage | Exception]


@dataclass(slots=True)
class Heard:
    """What a server said beside messages, for whoever wants to know why it is of no use."""

    stderr: bytearray = field(default_factory=bytearray)
    noise: str = ""
    """The last line of its stdout that is no message."""
    fault: str = ""
    """Why a program was not listened to any longer; how a server under a URL refused the last request."""
    exit_code: int | None = None

    def __str__(self) -> str:
        said = plain(self.stderr.decode("utf-8", "replace"), TAIL_BYTES)
        parts = [
            self.fault,
            f"it exited {self.exit_code}" if self.exit_code is not None else "",
            f"its stdout has what is no MCP message: {plain(self.noise, 200)!r}" if self.noise else "",
            f"the end of its stderr:\n{said}" if said else "",
        ]
        return "; ".join(part for part in parts if part)


@asynccontextmanager
async def program(name: str, argv: Sequence[str], place: Place, heard: Heard) -> AsyncIterator[Streams]:
    """The program's messages, both ways; at the end nothing that it started is left.

    Raises:
        CommandFailed: It could not even be tried.
    """
    process, life = await start_guarded([*place.sandbox.prefix(place.cwd), *argv], name, place.cwd, place.env)
    to_us, ours = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    theirs, to_them = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_listen, process, to_us, heard)
            group.start_soon(_speak, process, to_them)
            group.start_soon(_listen_aside, process, heard)
            try:
                yield ours, theirs
            finally:
                group.cancel_scope.cancel()
    finally:
        await _end(process, life, heard)
        for stream in (to_us, ours, theirs, to_them):
            stream.close()


async def _end(process: asyncio.subprocess.Process, life: int, heard: Heard) -> None:
    """Its stdin ends, so it may go by itself; then its guard sees to it, also when nobody can wait for that."""
    try:
        if process.stdin is not None:
            process.stdin.close()
        await _until_ended(process, heard, EXIT_S)
    finally:
        os.close(life)
    await _until_ended(process, heard, GRACE_S + 15.0)
    if process.returncode is None:
        process.kill()
    heard.exit_code = process.returncode


async def _until_ended(process: asyncio.subprocess.Process, heard: Heard, seconds: float) -> None:
    """What it still says is read: a program that cannot write does not end."""
    with anyio.move_on_after(seconds, shield=True):
        async with anyio.create_task_group() as group:
            group.start_soon(_drain, process)
            group.start_soon(_listen_aside, process, heard)
            group.start_soon(process.wait)


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(_CHUNK):
        pass


async def _listen(process: asyncio.subprocess.Process, to_us: ToUs, heard: Heard) -> None:
    """Until its stdout ends, which ends the session."""
    assert process.stdout is not None
    rest = b""
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
        async with to_us:
            while chunk := await process.stdout.read(_CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    await _take(line, to_us, heard)
                if len(rest) > MAX_MESSAGE_BYTES:
                    heard.fault = f"it sent a message of more than {MAX_MESSAGE_BYTES:,} bytes"
                    return


async def _take(line: bytes, to_us: ToUs, heard: Heard) -> None:
    if not line.strip():
        return
    try:
        message = types.jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        # programs that print to their stdout are common; nothing answers such a line
        heard.noise = line[:2_000].decode("utf-8", "replace")
        return
    await to_us.send(SessionMessage(message))


async def _speak(process: asyncio.subprocess.Process, to_them: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None
    async with to_them:
        async for message in to_them:
            said = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            with suppress(BrokenPipeError, ConnectionResetError):  # it has ended, and its stdout says so
                process.stdin.write(said.encode() + b"\n")
                await process.stdin.drain()


async def _listen_aside(process: asyncio.subprocess.Process, heard: Heard) -> None:
    assert process.stderr is not None
    while chunk := await process.stderr.read(_CHUNK):
        heard.stderr += chunk
        del heard.stderr[:-TAIL_BYTES]
