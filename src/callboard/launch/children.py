"""The roster's processes: started, watched, started again, and ended with their launcher."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from callboard.agents.workspace.commands import guard_prefix
from callboard.launch.restarts import Down, decide

GRACE_S = 2.0
"""Between SIGTERM and SIGKILL for what is left when the launcher is gone."""


@dataclass(slots=True)
class Child:
    """One agent's process, behind a guard that ends it and everything it started when we end.

    Args:
        log: Its stdout and stderr are appended here.
        on_down: Called once when it died too often; it is not started again.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    on_down: Callable[[str, str], Awaitable[None]]
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)
    _life: int = field(default=-1, init=False)
    _stop: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _grace_s: float = field(default=0.0, init=False)
    _idle: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """No process of it is there or on its way."""

    def __post_init__(self) -> None:
        self._idle.set()

    @property
    def pid(self) -> int:
        """Of its guard; 0 when it does not run."""
        return self._process.pid if self._process and self._process.returncode is None else 0

    async def run(self) -> None:
        """Keep it running until `stop`, or until it is down."""
        clock = asyncio.get_running_loop().time
        deaths: list[float] = []
        while not self._stop.is_set():
            exit_code = await self._once()
            if self._stop.is_set():
                return
            deaths.append(clock())
            logger.warning("agent died", agent=self.name, exit_code=exit_code, deaths=len(deaths))
            match decide(deaths, clock()):
                case Down(deaths=count):
                    reason = f"it died {count} times within a minute (exit code {exit_code}); see {self.log}"
                    await self.on_down(self.name, reason)
                    return
                case restart:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._stop.wait(), restart.after_s)

    async def _once(self) -> int:
        self._idle.clear()
        try:
            self._process = await self._started()
            return await self._ended(self._process)
        finally:
            self.end()
            self._idle.set()

    async def _started(self) -> asyncio.subprocess.Process:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        reading, self._life = os.pipe()
        try:
            with self.log.open("ab") as out:
                return await asyncio.create_subprocess_exec(
                    *guard_prefix(grace_s=GRACE_S, life=reading, ask="command"),
                    *self.argv,
                    env=dict(self.env),
                    cwd=self.cwd,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=out,
                    stderr=out,
                    pass_fds=(reading,),
                    start_new_session=True,
                )
        finally:
            os.close(reading)

    async def _ended(self, process: asyncio.subprocess.Process) -> int:
        """Its exit code, once it has ended by itself or was asked to."""
        ended, asked = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                process.send_signal(signal.SIGTERM)
                await asyncio.wait({ended}, timeout=self._grace_s)
            if not ended.done():
                logger.error("agent did not stop when asked", agent=self.name)
                self.end()
            return await ended
        finally:
            asked.cancel()

    async def stop(self, grace_s: float) -> None:
        """Ask it to end, also while it is only being started; after `grace_s` it is ended."""
        self._grace_s = grace_s
        self._stop.set()
        await self._idle.wait()

    def end(self) -> None:
        """Let its guard end it and everything below it, as if we had died."""
        life, self._life = self._life, -1
        if life >= 0:
            os.close(life)
