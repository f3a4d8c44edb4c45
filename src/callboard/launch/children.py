"""The roster's processes: started, watched, started again, and ended with their launcher."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from loguru import logger

from callboard.agents.workspace.guard import descendants, send, spared
from callboard.agents.workspace.layout import Layout
from callboard.launch.restarts import Down, Restart, decide

GRACE_S = 2.0
"""Between SIGTERM and SIGKILL for what is left when the launcher is gone."""
GUARD_S = 30.0
"""How long a guard may take to end everything; one that needs longer is not waited for."""
REACH_S = 5.0
"""How long a process that was not heard of may take to end when it is asked."""
ENDED_S = 15.0
"""How long its guard may take then: its grace, and the 10 s for which guards repeat SIGKILL. Then the guard is killed too."""
KILLED = -9
"""The exit code of an agent whose guard ended without a word, or does not end."""
NOT_STARTED = 127
"""The exit code of an agent whose process could not be made, as in a shell."""


class Process(Protocol):
    """An agent's process behind a guard that ends it and everything it started when we end."""

    @property
    def pid(self) -> int:
        """Of its guard; 0 while that is not known."""
        ...

    async def wait(self) -> int:
        """The agent's exit code, once nothing of it is left. May be called again."""
        ...

    def ask(self) -> None:
        """Ask the agent alone to end."""
        ...

    def end(self) -> None:
        """Let its guard end it and everything below it, as if we had died."""
        ...


class Starter(Protocol):
    """Makes agents' processes: `Spawner`, or `ForkServer`."""

    async def start(self, words: Sequence[str], log: Path) -> Process:
        """Start an agent, whose stdout and stderr are appended to `log`.

        Args:
            words: What comes after `callboard` on its command line.

        Raises:
            OSError: It cannot be started.
        """
        ...


@dataclass(slots=True)
class Child:
    """One agent of the roster: its process, and the next one when that has died.

    Args:
        words: What comes after `callboard` on its command line.
        log: Its stdout and stderr are appended here.
        on_down: Called once when it died too often; it is not started again.
    """

    name: str
    starter: Starter
    words: Sequence[str]
    log: Path
    on_down: Callable[[str, str], Awaitable[None]]
    reach_s: float = REACH_S
    ended_s: float = ENDED_S
    decide: Callable[[Sequence[float], float], Restart | Down] = decide
    """From the times at which it died, and now: whether it is started again."""
    _process: Process | None = field(default=None, init=False)
    _stop: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _grace_s: float = field(default=0.0, init=False)
    _idle: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """No process of it is there or on its way."""
    _lost: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Its process can be ended by nobody."""

    def __post_init__(self) -> None:
        self._idle.set()

    @property
    def pid(self) -> int:
        """Of its guard; 0 when it does not run."""
        return self._process.pid if self._process else 0

    @property
    def is_running(self) -> bool:
        return self._process is not None

    async def run(self) -> None:
        """Keep it running until `stop`, or until it is down."""
        clock = asyncio.get_running_loop().time
        deaths: list[float] = []
        while not self._stop.is_set():
            exit_code = await self._once()
            if self._stop.is_set():
                return
            if self._lost.is_set():
                await self.on_down(
                    self.name, f"it can neither be reached nor ended (exit code {exit_code}); see {self.log}"
                )
                return
            deaths.append(clock())
            logger.warning("agent died", agent=self.name, exit_code=exit_code, deaths=len(deaths))
            match self.decide(deaths, clock()):
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
            self._process = await self.starter.start(self.words, self.log)
            return await self._ended(self._process)
        except OSError as error:
            logger.error("agent could not be started", agent=self.name, error=str(error))
            return NOT_STARTED
        finally:
            self.end()
            self._process = None
            self._idle.set()

    async def _ended(self, process: Process) -> int:
        """Its exit code, once it has ended by itself or was asked to."""
        ended, asked = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._stop.wait())
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({ended, asked, lost}, return_when=asyncio.FIRST_COMPLETED)
            if lost.done() and not ended.done():
                return KILLED
            if not ended.done():
                process.ask()
                await asyncio.wait({ended}, timeout=self._grace_s)
            if not ended.done():
                logger.error("agent did not stop when asked", agent=self.name)
                process.end()
            return await asyncio.wait_for(ended, GUARD_S)
        except TimeoutError:
            logger.error("agent could not be ended", agent=self.name)
            return KILLED
        finally:
            asked.cancel()
            lost.cancel()

    async def replace(self) -> None:
        """End a process that cannot be reached, by whatever ends it; `run` starts the next one. What nobody can end is
        given up, so that its work goes to others: it holds no lease any more, and nothing of it can be committed."""
        process = self._process
        if process is None:
            return
        ended = asyncio.ensure_future(process.wait())
        try:
            for try_it, wait_s in (
                (process.ask, self.reach_s),
                (process.end, self.ended_s),
                (partial(kill, process), self.ended_s),
            ):
                try_it()
                await asyncio.wait({ended}, timeout=wait_s)
                if ended.done():
                    return
            logger.error("agent could not be ended", agent=self.name)
            self._lost.set()
        finally:
            ended.cancel()

    async def stop(self, grace_s: float) -> None:
        """Ask it to end, also while it is only being started; after `grace_s` it is ended."""
        self._grace_s = grace_s
        self._stop.set()
        await self._idle.wait()

    def end(self) -> None:
        """Let its guard end it and everything below it, as if we had died."""
        if self._process is not None:
            self._process.end()


def kill(process: Process) -> None:
    """Kill its guard and everything below but what is deployed, where the guard itself does not answer."""
    if process.pid:
        for pid in (*descendants(process.pid, spared(deployed_at(process.pid))), process.pid):
            send(pid, signal.SIGKILL)


def deployed_at(pid: int) -> str:
    """Where the workspace that a guard stands in has on record what outlives it; "" when nobody can tell."""
    try:
        return str(Layout(Path(f"/proc/{pid}/cwd").readlink()).deployed)
    except OSError:
        return ""
