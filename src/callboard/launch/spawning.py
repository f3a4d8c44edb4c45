"""Agents as processes that are started one by one, each of which imports everything itself: where there is no fork server."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from callboard.agents.workspace.commands import guard_prefix
from callboard.agents.workspace.layout import Layout
from callboard.launch.children import GRACE_S, Process


@dataclass(frozen=True, slots=True)
class Spawner:
    """Starts agents behind guards.

    Args:
        argv: What comes before an agent's words on its command line.
        env: Their whole environment.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path

    async def start(self, words: Sequence[str], log: Path) -> Process:
        """Start an agent.

        Raises:
            OSError: It cannot be started.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        reading, life = os.pipe()
        try:
            with log.open("ab") as out:
                process = await asyncio.create_subprocess_exec(
                    *guard_prefix(grace_s=GRACE_S, life=reading, ask="command", spare=Layout(self.cwd).deployed),
                    *self.argv,
                    *words,
                    env=dict(self.env),
                    cwd=self.cwd,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    pass_fds=(reading,),
                    start_new_session=True,
                )
        except BaseException:
            os.close(life)
            raise
        finally:
            os.close(reading)
        return Spawned(process, life)


class Spawned:
    """One agent's guard, which is our own child."""

    def __init__(self, process: asyncio.subprocess.Process, life: int) -> None:
        self._process = process
        self._life = life

    @property
    def pid(self) -> int:
        return self._process.pid

    async def wait(self) -> int:
        return await self._process.wait()

    def ask(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        life, self._life = self._life, -1
        if life >= 0:
            os.close(life)
