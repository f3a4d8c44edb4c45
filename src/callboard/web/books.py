"""The ledger of a served workspace: kept up while nobody else does, and asked by routes that report."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from loguru import logger

from callboard.app import Workspace
from callboard.bus.errors import LedgerError
from callboard.launch.lasting import lasting
from callboard.launch.ledgering import keep_ledger, ledger_url, open_ledger

if TYPE_CHECKING:
    from callboard.ledger.database import Database

T = TypeVar("T")


class Books:
    """One workspace's."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._database: Database | None = None
        self._opening = asyncio.Lock()

    @property
    def are_kept(self) -> bool:
        """Whether there is a ledger at all."""
        return bool(ledger_url(self._workspace))

    async def ask(self, question: Callable[[Database], T]) -> T:
        """What a function of `callboard.ledger.reports` answers, asked in a thread.

            runs = await house.books.ask(partial(reports.runs, state="running"))

        Raises:
            LedgerError: There is no ledger, or it cannot be read now.
        """
        async with self._opening:
            if self._database is None:
                self._database = await asyncio.to_thread(open_ledger, self._workspace)
        return await asyncio.to_thread(question, self._database)

    async def trouble(self) -> str:
        """Why it cannot be read now; "" = it can."""
        try:
            await self.ask(_touch)
        except LedgerError as error:
            return str(error)
        return ""

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep it up with the archives, where no launch does (launch/ledgering.py)."""
        stop = asyncio.Event()
        work = partial(keep_ledger, self._workspace, stop, logger.warning)
        keeper = asyncio.create_task(lasting("the ledger's archiver", work, logger.warning, stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(keeper, return_exceptions=True)
            if self._database is not None:
                self._database.close()


def _touch(database: Database) -> None:
    from callboard.ledger.schema import schema_of

    schema_of(database)
