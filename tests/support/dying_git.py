"""A repository whose process is killed by SIGKILL at one of its git commands."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from callboard.agents.workspace.git_lasting import LastingRepository
from callboard.agents.workspace.git_runner import GitOutput
from callboard.agents.workspace.git_talk import EndOf, GitTalk

T = TypeVar("T")


class DyingRepository(LastingRepository):
    """Counts its git commands, and what it asks of those that stay.

    Args:
        dies_at: The command, from 1, at which the process is killed.
        after: Right after that command instead of right before it.
    """

    def __init__(self, path: Path, dies_at: int, *, after: bool) -> None:
        super().__init__(path)
        self._left, self._after = dies_at, after

    def run(
        self, *args: str, stdin: bytes = b"", env: Mapping[str, str] | None = None, accept: Sequence[int] = (0,)
    ) -> GitOutput:
        return self._counted(lambda: super(DyingRepository, self).run(*args, stdin=stdin, env=env, accept=accept))

    def ask(self, talk: GitTalk, request: bytes, end_of: EndOf) -> bytes:
        return self._counted(lambda: super(DyingRepository, self).ask(talk, request, end_of))

    def _counted(self, work: Callable[[], T]) -> T:
        self._left -= 1
        if not self._left and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = work()
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return found


def survives(work: Callable[[], object]) -> bool:
    """Do it in a process of its own; False when that was killed.

    Raises:
        AssertionError: It ended in another way.
    """
    child = os.fork()
    if not child:
        code = 3
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(status) == 0, "the work failed"
    return True
