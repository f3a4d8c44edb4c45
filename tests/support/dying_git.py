"""A repository whose process is killed by SIGKILL at one of its git commands."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.git_runner import GitOutput


class DyingRepository(Repository):
    """Counts its git commands.

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
        self._left -= 1
        if not self._left and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = super().run(*args, stdin=stdin, env=env, accept=accept)
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
