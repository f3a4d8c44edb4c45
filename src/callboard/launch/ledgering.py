"""Keeps a workspace's ledger up with the archives of its runs; one process at a time does, and no run waits for it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import TYPE_CHECKING

from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace
from callboard.bus.errors import LedgerError, RosterError
from callboard.ledger.settings import EMBEDDED, FILE, OFF

if TYPE_CHECKING:
    from callboard.ledger.database import Database

FIRST_AFTER_S = 2.0
"""Its imports are half a second of work: by then the roster has started."""
FIRST_AGAIN_S = 1.0
LONGEST_AGAIN_S = 30.0
LAST_S = 10.0
"""How long the end of a launch waits for the last entries; what is missing is written by the next one."""


def ledger_url(workspace: Workspace) -> str:
    """Where the ledger is; "" = there is none."""
    url = workspace.settings.ledger.url
    if url == EMBEDDED:
        return f"sqlite:///{workspace.layout.home / FILE}"
    return "" if url == OFF else url


def project_name(workspace: Workspace) -> str:
    """What this workspace's runs are called together: the name of its folder, as it may stand in a file's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", workspace.root.name).strip("-.") or "project"


def open_ledger(workspace: Workspace) -> Database:
    """The ledger, with its tables.

    Raises:
        LedgerError: There is none, it cannot be reached, or another version of this program made it.
    """
    from callboard.ledger.database import connect
    from callboard.ledger.schema import prepare

    url = ledger_url(workspace)
    if not url:
        raise LedgerError('there is no ledger: callboard.toml says `[ledger] url = "off"`')
    database = connect(url)
    prepare(database)
    return database


async def keep_ledger(
    workspace: Workspace,
    stop: asyncio.Event,
    say: Callable[[str], None],
    *,
    after_s: float = FIRST_AFTER_S,
    last_s: float = LAST_S,
) -> None:
    """Archive into the ledger until `stop`, then what is in the archives by then.

    In a thread of its own, which nobody waits for at the end of the process: a database may take minutes to fail.

    Args:
        say: Told, as a sentence, once each time it begins, why the ledger cannot be written, and that it can again.
        after_s: It begins so much later.
        last_s: How long the end waits for the last entries.
    """
    if not ledger_url(workspace):
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), after_s)
    loop = asyncio.get_running_loop()
    stopping, ended = Event(), loop.create_future()
    keeper = _Keeper(workspace, stopping, lambda text: _in(loop, say, text))

    def work() -> None:
        error: BaseException | None = None
        try:
            keeper.run()
        except BaseException as found:  # noqa: BLE001 - handed over to who waits for the thread
            error = found
        _in(loop, _settle, ended, error)

    Thread(target=work, name="ledger", daemon=True).start()
    waiting = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({ended, waiting}, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        await asyncio.wait({ended}, timeout=last_s)
        if ended.done():
            ended.result()
        else:
            say("the ledger is not complete yet; the next launch, or `callboard serve`, writes what is missing")
    finally:
        stopping.set()
        waiting.cancel()


async def bring_ledger_up(workspace: Workspace, say: Callable[[str], None]) -> None:
    """Take what is archived by now into the ledger, as the end of a launch does: what cannot be is said, and no error."""
    stop = asyncio.Event()
    stop.set()
    await keep_ledger(workspace, stop, say)


def _in(loop: asyncio.AbstractEventLoop, work: Callable[..., None], *args: object) -> None:
    with suppress(RuntimeError):  # the loop is over, and so is whoever listened
        loop.call_soon_threadsafe(work, *args)


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


class _Keeper:
    """The thread's own."""

    def __init__(self, workspace: Workspace, stop: Event, say: Callable[[str], None]) -> None:
        self._workspace = workspace
        self._stop = stop
        self._say = say
        self._trouble = ""

    def run(self) -> None:
        lock = ProcessLock(self._workspace.layout.lock("ledger"))
        while not _taken(lock):
            # another process of this workspace writes it
            if self._stop.wait(FIRST_AGAIN_S):
                return
        try:
            self._keep()
        finally:
            lock.release()

    def _keep(self) -> None:
        from callboard.ledger.archiver import LedgerArchiver
        from callboard.ledger.database import connect

        again_s = FIRST_AGAIN_S
        try:
            database = connect(ledger_url(self._workspace))
        except LedgerError as error:
            self._say(f"{error}; the run goes on without it")
            return
        archives = self._workspace.layout.archives
        archiver = LedgerArchiver(archives, database, project_name(self._workspace), self._say)
        try:
            while True:
                is_last = self._stop.is_set()
                try:
                    archiver.run(self._stop, on_look=self._is_well)
                    return
                except LedgerError as error:
                    self._tell(str(error))
                    if is_last:
                        return
                    self._stop.wait(again_s)
                    again_s = min(2 * again_s, LONGEST_AGAIN_S)
        finally:
            database.close()

    def _tell(self, trouble: str) -> None:
        if not self._trouble:
            self._say(f"{trouble}; the run goes on, and the ledger catches up later")
        self._trouble = trouble

    def _is_well(self) -> None:
        if self._trouble:
            self._say("the ledger is written again")
        self._trouble = ""


def _taken(lock: ProcessLock) -> bool:
    try:
        lock.acquire()
    except RosterError:
        return False
    return True
