"""Running other programs: their whole process tree ends with them, at their time limit, on cancellation, and with us."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shlex
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from callboard.agents.workspace.sandbox import Sandbox
from callboard.bus.errors import CommandFailed
from callboard.bus.task import CommandResult

OnLine = Callable[[str], Awaitable[None]]
"""Gets each line of output while the command runs."""

TAIL_CHARACTERS = 2_000
KEPT_BYTES = 16 * 1024 * 1024
"""How much of the end of a stream is kept; a command that prints for hours must not fill the memory."""
LINE_BYTES = 64 * 1024
GRACE_S = 2.0
TIMED_OUT = 124
"""The exit code of a command that was stopped at its time limit, as of timeout(1)."""
_CHUNK = 64 * 1024
_GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended; nothing it started is left."""

    result: CommandResult
    stdout: bytes
    """The last 16 MiB of its stdout."""


def guard_prefix(
    *,
    grace_s: float = GRACE_S,
    life: int | None = None,
    ask: Literal["command", "all"] = "all",
    spare: Path | None = None,
) -> tuple[str, ...]:
    """What goes before a command line so that the program ends with whoever starts it (guard.py).

    Args:
        grace_s: Seconds between SIGTERM and SIGKILL when the starter is gone.
        life: The reading end of a pipe that the guard inherits. None: its stdin is that pipe, so start it with
            `stdin=PIPE`, keep that end open for as long as it may live, and write nothing.
        ask: Who gets SIGTERM then: a program that stops what it started by itself, or everything.
        spare: Where the processes are on record that live on; for agents alone, never for what a brain runs.
    """
    end = "stdin" if life is None else str(life)
    kept = () if spare is None else ("--spare", str(spare))
    return (sys.executable, "-I", "-S", str(_GUARD), "--life", end, "--grace", str(grace_s), "--ask", ask, *kept, "--")


async def run_command(
    command: str | Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    sandbox: Sandbox,
    timeout_s: float,
    stdin: bytes = b"",
    on_line: OnLine | None = None,
    on_stderr_line: OnLine | None = None,
    merge_stderr: bool = False,
    grace_s: float = GRACE_S,
    line_bytes: int = LINE_BYTES,
) -> Finished:
    """Run a program to its end; a failing one is an answer, not an error.

    Args:
        command: A line for `/bin/sh`, or an argument list that no shell sees.
        env: Its whole environment; nothing of ours is added.
        sandbox: What it may do; OFF is for commands that no brain wrote.
        on_line: Gets the lines of stdout, and of stderr unless `on_stderr_line` gets those.
        merge_stderr: stderr goes where stdout goes, so that digest and tail have both in the order of writing.
            Otherwise `stdout` is stdout alone, and digest and tail have both in the order of arrival.
        grace_s: Seconds between SIGTERM and SIGKILL at the time limit and on cancellation.
        line_bytes: A longer line is cut into several.

    Raises:
        CommandFailed: It could not even be tried: the folder is not there, or the command line is too long.
    """
    argv = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
    shown = command if isinstance(command, str) else shlex.join(argv)
    argv = [*sandbox.prefix(cwd), *argv]
    began = time.monotonic()
    process, life = await start_guarded(argv, shown, cwd, env, grace_s=grace_s, merge_stderr=merge_stderr)
    streams = _Streams(on_line, on_stderr_line or on_line, line_bytes)
    talk = asyncio.create_task(streams.talk(process, stdin))
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait({talk, ended}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        in_time = talk.done() or ended.done()
    finally:
        os.close(life)
        await _end(process, talk, ended, grace_s)
    exit_code = process.returncode if process.returncode is not None else -9
    return Finished(
        CommandResult(
            command=shown,
            exit_code=TIMED_OUT if not in_time else exit_code if exit_code >= 0 else 128 - exit_code,
            duration_s=round(time.monotonic() - began, 3),
            digest=streams.digest.hexdigest(),
            tail=bytes(streams.tail).decode("utf-8", "replace")[-TAIL_CHARACTERS:],
        ),
        bytes(streams.stdout[-KEPT_BYTES:]),
    )


async def start_guarded(
    argv: Sequence[str],
    shown: str,
    cwd: Path,
    env: Mapping[str, str],
    *,
    grace_s: float = GRACE_S,
    merge_stderr: bool = False,
) -> tuple[asyncio.subprocess.Process, int]:
    """Start a program behind a guard, with pipes to its stdin, stdout and stderr.

    Args:
        shown: What errors call it.

    Returns:
        The guard, and our end of its life pipe: when it is closed, also by our death, everything below the guard ends.

    Raises:
        CommandFailed: It could not even be tried.
    """
    reading, life = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *guard_prefix(grace_s=grace_s, life=reading),
            *argv,
            cwd=cwd,
            env=dict(env),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if merge_stderr else asyncio.subprocess.PIPE,
            pass_fds=(reading,),
            start_new_session=True,
        )
    except OSError as error:
        os.close(life)
        raise CommandFailed(f"`{shown[:200]}` could not be started in {cwd}: {error.strerror}") from error
    except BaseException:
        os.close(life)
        raise
    finally:
        os.close(reading)
    return process, life


async def _end(
    process: asyncio.subprocess.Process, talk: asyncio.Task[None], ended: asyncio.Task[int], grace_s: float
) -> None:
    """Wait for the guard, whose life pipe is closed; it ends after everything below it, so what it said ends too."""
    try:
        await asyncio.wait({ended}, timeout=grace_s + 15.0)
        if not ended.done():
            process.kill()
        # what killed its own guard may live on and hold the output open for ever
        guard_was_killed = process.returncode is None or process.returncode < 0
        await asyncio.wait({talk, ended}, timeout=2.0 if guard_was_killed else 60.0)
    finally:
        ended.cancel()
        talk.cancel()
    if talk.done() and not talk.cancelled():
        talk.result()


@dataclass(slots=True)
class _Streams:
    """What is read from, and written to, one command."""

    on_line: OnLine | None
    on_stderr_line: OnLine | None
    line_bytes: int
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    stdout: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)

    async def talk(self, process: asyncio.subprocess.Process, stdin: bytes) -> None:
        assert process.stdout is not None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_feed(process.stdin, stdin))
                group.create_task(self._read(process.stdout, self.on_line, keep=True))
                if process.stderr is not None:
                    group.create_task(self._read(process.stderr, self.on_stderr_line, keep=False))
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None  # what `on_line` raised is for the caller, as it was raised

    async def _read(self, stream: asyncio.StreamReader, on_line: OnLine | None, *, keep: bool) -> None:
        line = bytearray()
        while chunk := await stream.read(_CHUNK):
            self.digest.update(chunk)
            _append(self.tail, chunk, TAIL_CHARACTERS * 4)
            if keep:
                _append(self.stdout, chunk, KEPT_BYTES)
            if on_line is not None:
                line += chunk
                *lines, rest = line.split(b"\n")
                for each in [*lines, *([rest] if len(rest) > self.line_bytes else [])]:
                    await on_line(each[: self.line_bytes].decode("utf-8", "replace").rstrip("\r"))
                line = rest if len(rest) <= self.line_bytes else bytearray()
        if line and on_line is not None:
            await on_line(line.decode("utf-8", "replace"))


def _append(kept: bytearray, chunk: bytes, limit: int) -> None:
    kept += chunk
    if len(kept) > 2 * limit:
        del kept[:-limit]


async def _feed(stream: asyncio.StreamWriter | None, content: bytes) -> None:
    assert stream is not None
    try:
        stream.write(content)
        await stream.drain()
        stream.close()
        await stream.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        pass  # the command ended, or closed its stdin, before it had read everything
