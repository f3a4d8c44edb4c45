"""What all routes share: the workspace, its tokens, and connections to its bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request

from callboard.app import Workspace
from callboard.bus.board import Board
from callboard.bus.bus import RUN_NAME, Bus
from callboard.bus.settings import EMBEDDED
from callboard.launch.hosts import Hosts
from callboard.launch.joining import open_bus
from callboard.launch.runs import outside_runs, runs
from callboard.launch.serving import bus_url
from callboard.launch.status import is_hosted, is_running
from callboard.web.books import Books
from callboard.web.dashboard.stories import Stories
from callboard.web.limits import Rates
from callboard.web.oidc import Provider
from callboard.web.problems import Refused
from callboard.web.tail import Tail
from callboard.web.tokens import Tokens

PATIENCE_S = 5.0
"""How long a request waits for a server that went away."""


@dataclass(slots=True)
class House:
    """One served workspace."""

    workspace: Workspace
    tokens: Tokens
    rates: Rates
    """Of tokens; addresses are counted before any token is looked at (admission.py)."""
    provider: Provider | None
    """The identity provider whose tokens count too."""
    books: Books
    hosts: Hosts
    stories: Stories = field(default_factory=Stories)
    _tails: dict[str, Tail] = field(default_factory=dict)
    _buses: dict[str, Bus] = field(default_factory=dict)
    _connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Protects _buses, and our turn with a server of our own."""

    @classmethod
    def of(cls, workspace: Workspace) -> House:
        settings = workspace.settings.web
        provider = Provider(settings.oidc) if settings.oidc else None
        tokens, rates = Tokens(workspace.layout.tokens), Rates(settings.requests_per_minute)
        return cls(workspace, tokens, rates, provider, Books(workspace), Hosts(workspace))

    @property
    def is_served(self) -> bool:
        """Whether a server of the bus runs that is not ours to start: somebody else's, or a launcher's."""
        workspace = self.workspace
        return workspace.settings.bus.url != EMBEDDED or bool(is_running(workspace) or is_hosted(workspace))

    @asynccontextmanager
    async def bus(self, run: str) -> AsyncIterator[Bus]:
        """The bus of a run. While no roster runs on an embedded server, one of our own runs just as long as this: commands
        and a launch take their turns with it.

        Raises:
            BusUnavailable: No server answers.
        """
        if self.is_served:
            yield await self._connected(run)
            return
        async with self._connecting, open_bus(self.workspace, run) as bus:
            yield bus

    async def _connected(self, run: str) -> Bus:
        async with self._connecting:
            if run not in self._buses:
                workspace = self.workspace
                self._buses[run] = await Bus.connect(
                    bus_url(workspace),
                    run,
                    patience_s=PATIENCE_S,
                    redactor=workspace.redactor,
                    archive=workspace.archive(run),
                )
            return self._buses[run]

    def tail(self, run: str) -> Tail:
        """The end of a run's journal, as it grows."""
        if run not in self._tails:
            self._tails[run] = Tail(lambda: self.bus(run), lambda: self.is_served, self.workspace.archive(run))
        return self._tails[run]

    async def runs(self) -> list[str]:
        """The runs of the repository, the oldest first."""
        return await asyncio.to_thread(runs, self.workspace.repository)

    async def known_run(self, run: str) -> str:
        """The run itself, launched or started from outside; "" = the newest that was launched.

        Raises:
            Refused: 404, there is no such run.
        """
        if run and run in await asyncio.to_thread(outside_runs, self.workspace.repository):
            return run
        known = await self.runs()
        if not known:
            raise Refused(404, "nothing was launched here yet; `callboard launch` starts the first run")
        if run and run not in known:
            raise Refused(404, f"there is no run {run!r} here; the newest is {known[-1]}")
        return run or known[-1]

    async def close(self) -> None:
        for tail in self._tails.values():
            await tail.close()
        for bus in self._buses.values():
            await bus.close()


def house(request: Request) -> House:
    return cast(House, request.app.state.house)


Here = Annotated[House, Depends(house)]
RunParam = Annotated[
    str, Query(pattern=f"^({RUN_NAME.pattern})?$", max_length=100, description="The newest, unless said.")
]


async def _asked_run(house: Here, run: RunParam = "") -> str:
    return await house.known_run(run)


async def _named_run(house: Here, run_id: Annotated[str, Path(pattern=f"^{RUN_NAME.pattern}$", max_length=100)]) -> str:
    return await house.known_run(run_id)


AskedRun = Annotated[str, Depends(_asked_run)]
"""`?run=`; the newest unless said. 404 when there is no such run."""
NamedRun = Annotated[str, Depends(_named_run)]
"""`{run_id}` in the path. 404 when there is no such run."""


async def _board(house: Here, run: AskedRun) -> Board:
    async with house.bus(run) as bus:
        return await bus.board()


AskedBoard = Annotated[Board, Depends(_board)]
"""The board of `?run=`."""
