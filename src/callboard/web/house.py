"""What all routes share: the workspace, its tokens, and connections to its bus."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request

from callboard.app import Workspace
from callboard.bus.board import Board
from callboard.bus.bus import RUN_NAME, Bus
from callboard.bus.settings import EMBEDDED
from callboard.launch.hosts import Hosts
from callboard.launch.joining import open_bus
from callboard.launch.runs import told_apart
from callboard.launch.serving import bus_url
from callboard.launch.status import is_hosted, is_running
from callboard.web.at_rest import AtRest
from callboard.web.books import Books
from callboard.web.dashboard.stories import Stories
from callboard.web.limits import Rates
from callboard.web.lines import Lines
from callboard.web.oidc import Provider
from callboard.web.problems import Refused
from callboard.web.shared import Shared
from callboard.web.tail import Tail
from callboard.web.tokens import Tokens

PATIENCE_S = 5.0
"""How long a request waits for a server that went away."""
MOST_TAILS = 16
"""Runs whose last entries stay in memory while nobody follows them."""


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
    _tails: OrderedDict[str, Tail] = field(default_factory=OrderedDict)
    _lines: Lines = field(init=False)
    _at_rest: AtRest = field(init=False)
    _known: Shared[tuple[list[str], list[str]]] = field(init=False)
    """The launched runs, and those from outside."""
    _boards: dict[str, Shared[Board]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = Shared(partial(asyncio.to_thread, told_apart, self.workspace.repository))
        self._lines = Lines(self._connect)
        self._at_rest = AtRest(partial(open_bus, self.workspace), self._connect)

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
        """The bus of a run. While no roster runs on an embedded server, one of our own runs just as long as this and
        the requests that come with it: commands and a launch take their turns with it.

        Raises:
            BusUnavailable: No server answers.
        """
        one = self._lines.to(run) if self.is_served else self._at_rest.bus(run)
        async with one as bus:
            yield bus

    async def _connect(self, run: str) -> Bus:
        workspace = self.workspace
        return await Bus.connect(
            bus_url(workspace),
            run,
            patience_s=PATIENCE_S,
            redactor=workspace.redactor,
            archive=workspace.archive(run),
        )

    def tail(self, run: str) -> Tail:
        """The end of a run's journal, as it grows. Those that were asked for last are remembered."""
        tail = self._tails.pop(run, None)
        if tail is None:
            tail = Tail(lambda: self.bus(run), lambda: self.is_served, self.workspace.archive(run))
        self._tails[run] = tail
        for idle in [name for name, one in self._tails.items() if one.is_idle and one is not tail]:
            if len(self._tails) <= MOST_TAILS:
                break
            del self._tails[idle]
        return tail

    async def runs(self) -> list[str]:
        """The runs of the repository, the oldest first."""
        return (await self._known.ask())[0]

    async def known_run(self, run: str) -> str:
        """The run itself, launched or started from outside; "" = the newest that was launched.

        Raises:
            Refused: 404, there is no such run.
        """
        known, outside = await self._known.ask()
        if run in outside:
            return run
        if not known:
            raise Refused(404, "nothing was launched here yet; `callboard launch` starts the first run")
        if run and run not in known:
            raise Refused(404, f"there is no run {run!r} here; the newest is {known[-1]}")
        return run or known[-1]

    async def board(self, run: str) -> Board:
        """The board of a run, for reading: others may look at the same one.

        Raises:
            BusUnavailable: No server answers.
        """
        return await self._boards.setdefault(run, Shared(partial(self._look_at, run))).ask()

    async def _look_at(self, run: str) -> Board:
        async with self.bus(run) as bus:
            return await bus.board()

    async def close(self) -> None:
        await asyncio.gather(self._known.close(), *(board.close() for board in self._boards.values()))
        for tail in self._tails.values():
            await tail.close()
        await self._lines.close()
        await self._at_rest.close()


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
    return await house.board(run)


AskedBoard = Annotated[Board, Depends(_board)]
"""The board of `?run=`."""
