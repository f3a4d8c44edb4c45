"""One git process that answers many requests: starting one costs more than most answers take."""

from __future__ import annotations

import os
import select
import subprocess
from collections.abc import Callable, Sequence
from threading import Lock

from callboard.agents.workspace.git_runner import TIME_LIMIT_S, GitPlace, start_git

MOST_REQUESTS = 1_000
"""After so many a new process takes over: git keeps what it has read."""
_CHUNK = 1 << 16

EndOf = Callable[[bytes], int]
"""What was said so far -> how long the answer is; 0 = it goes on."""


class TalkEnded(Exception):
    """There is no answer. The same is to be asked of a process of its own, which says what is wrong."""


class GitTalk:
    """Started with the first request, and anew after a fork, too many requests, or a process that has ended.

    Args:
        args: A command that reads requests of one line from its stdin and answers each before it reads the next.
    """

    def __init__(self, place: GitPlace, args: Sequence[str]) -> None:
        self._place, self._args = place, tuple(args)
        self._process: subprocess.Popen[bytes] | None = None
        self._pid, self._count = 0, 0
        self._is_silent = False
        """It ended before it ever answered, so this git does not know it."""
        self._one_at_a_time = Lock()

    def ask(self, request: bytes, end_of: EndOf) -> bytes:
        """The answer to one request.

        Args:
            request: At most a page of lines, so that git reads them all before a pipe is full.

        Raises:
            TalkEnded: It ended instead, or said nothing for as long as a git command may take.
        """
        if self._is_silent:
            raise TalkEnded
        with self._one_at_a_time:
            process = self._running()
            try:
                answer = _answer(process, request, end_of)
            except (OSError, TalkEnded) as error:
                self._is_silent = not self._count
                process.kill()
                self.close()
                raise TalkEnded from error
            self._count += 1
            return answer

    def close(self) -> None:
        """End the process, if there is one; a later request starts another."""
        process, self._process = self._process, None
        if process is None or self._pid != os.getpid():
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._pid != os.getpid() or self._count >= MOST_REQUESTS:
            self.close()
            self._process, self._pid, self._count = start_git(self._place, self._args), os.getpid(), 0
        return self._process


def _answer(process: subprocess.Popen[bytes], request: bytes, end_of: EndOf) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(request)
    said = b""
    while not (end := end_of(said)):
        ready, _, _ = select.select([process.stdout], [], [], TIME_LIMIT_S)
        chunk = os.read(process.stdout.fileno(), _CHUNK) if ready else b""
        if not chunk:
            raise TalkEnded
        said += chunk
    if end != len(said):
        raise TalkEnded
    return said


def line_end(said: bytes) -> int:
    """Of an answer of one line."""
    return said.find(b"\n") + 1
