"""The dashboard beside a launch (decision 0048): until somebody opens it, a place to listen at and nothing more."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from callboard.app import Workspace
from callboard.bus.errors import CallboardError, ConfigError
from callboard.bus.whole_files import write_whole
from callboard.web.listening import LOCALHOST, listen_on_localhost
from callboard.web.tokens import Tokens, login_code, login_url

LINK = timedelta(hours=12)
"""How long the printed link is good: once, and not after the launch."""
ENDS_S = 3.0
"""How long its process may take to end; its own grace is 1 s."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A `Beside` (launch/options.py).

    Args:
        name: What whoever opens the link is called; asked once the roster has started.
        argv: The process that serves, without the sockets it gets.
    """

    name: Callable[[], str]
    argv: Sequence[str] = (sys.executable, "-m", "callboard.web.beside_process")

    @asynccontextmanager
    async def __call__(self, workspace: Workspace, say: Say, /) -> AsyncIterator[None]:
        tokens = Tokens(workspace.layout.tokens)
        try:
            sockets = listen_on_localhost(workspace.settings.web.port)
            code, kept = await asyncio.to_thread(lambda: login_code(tokens, self.name(), lasts=LINK))
        except (OSError, CallboardError) as error:
            say(f"there is no dashboard: {error}; the run goes on, and `callboard serve` tries again")
            yield
            return
        place, address = address_file(workspace), _address(sockets)
        with suppress(OSError):
            write_whole(place, address)
        say("the dashboard; this link logs a browser in, once (`callboard token login` prints another):")
        say(login_url(address, code))
        serving = _Serving(self.argv, workspace, sockets, say)
        try:
            yield
        finally:
            await serving.end()
            with suppress(OSError, ConfigError):  # it was used
                place.unlink(missing_ok=True)
                tokens.revoke(kept.id)


def address_file(workspace: Workspace) -> Path:
    """Says where the dashboard of the launch that runs here is."""
    return workspace.layout.tokens.with_name("address")


def _address(sockets: Sequence[socket.socket]) -> str:
    return f"http://{LOCALHOST}:{sockets[0].getsockname()[1]}"


@dataclass(slots=True)
class _Serving:
    """Waits for the first who comes, and has a process serve them and all others."""

    argv: Sequence[str]
    workspace: Workspace
    sockets: Sequence[socket.socket]
    say: Say
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _work: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        for one in self.sockets:
            asyncio.get_running_loop().add_reader(one, self._begin)

    def _begin(self) -> None:
        self._unwatch()
        self._work = asyncio.create_task(self._serve())

    def _unwatch(self) -> None:
        for one in self.sockets:
            asyncio.get_running_loop().remove_reader(one)

    async def _serve(self) -> None:
        log = self.workspace.layout.log("dashboard")
        try:
            process = await self._start()
        except OSError as error:
            self.say(f"the dashboard could not be started: {error}; the run goes on")
            return
        assert process.stdin is not None
        ended, asked = asyncio.ensure_future(process.wait()), asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({ended, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not self._stop.is_set():
            self.say(f"the dashboard died (exit code {ended.result()}), see {log}; the run goes on without it")
            return
        process.stdin.close()
        await asyncio.wait({ended}, timeout=ENDS_S)
        if not ended.done():
            process.kill()
        await ended

    async def _start(self) -> asyncio.subprocess.Process:
        log, fds = self.workspace.layout.log("dashboard"), [one.fileno() for one in self.sockets]
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as out:
                return await asyncio.create_subprocess_exec(
                    *self.argv,
                    *map(str, fds),
                    cwd=self.workspace.root,
                    env=dict(self.workspace.environ),
                    # its end, however we end, ends the process
                    stdin=asyncio.subprocess.PIPE,
                    stdout=out,
                    stderr=out,
                    pass_fds=fds,
                    start_new_session=True,
                )
        finally:
            # with the process gone, who comes is refused and does not wait
            self._close()

    def _close(self) -> None:
        for one in self.sockets:
            one.close()

    async def end(self) -> None:
        self._stop.set()
        if self._work is None:
            self._unwatch()
            self._close()
        else:
            await self._work
