"""For commands: a workspace's ledger looked at, brought forward, and made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from callboard.agents.workspace.locks import ProcessLock
from callboard.app import Workspace
from callboard.bus.errors import LedgerError, RosterError
from callboard.launch.ledgering import ledger_url, open_ledger, project_name

if TYPE_CHECKING:
    from callboard.ledger.audit import Verified
    from callboard.ledger.database import Database
    from callboard.ledger.rebuilding import Rebuilt


@dataclass(frozen=True, slots=True)
class RunHeld:
    """How far one run is in the ledger."""

    run: str
    project: str
    entries: int
    """The number of its last entry in the ledger."""
    archived: int | None
    """The same of its archive; None = that is not in this workspace."""


@dataclass(frozen=True, slots=True)
class LedgerState:
    url: str
    """Without its password."""
    schema: str
    """"" = it is empty."""
    wanted: str
    """This program's."""
    state: str
    """empty, older, current or newer."""
    runs: tuple[RunHeld, ...]

    @property
    def is_well(self) -> bool:
        return self.state in ("empty", "current")


@contextmanager
def reached(workspace: Workspace) -> Iterator[Database]:
    """The ledger, whatever its schema.

    Raises:
        LedgerError: There is none, or it cannot be reached.
    """
    from callboard.ledger.database import connect

    url = ledger_url(workspace)
    if not url:
        raise LedgerError('there is no ledger: [ledger] url is "off"')
    database = connect(url)
    try:
        yield database
    finally:
        database.close()


def look(workspace: Workspace) -> LedgerState:
    """
    Raises:
        LedgerError: It cannot be read.
    """
    from callboard.bus.archive import FileArchive
    from callboard.ledger import store
    from callboard.ledger.rebuilding import archived_runs
    from callboard.ledger.schema import schema_of, state_of
    from callboard.ledger.tables import SCHEMA

    heads: dict[str, store.Head] = {}
    with reached(workspace) as database:
        # looking makes no file
        schema = schema_of(database) if database.is_there else ""
        state = state_of(schema)
        if state == "current":
            with database.reading() as connection:
                heads = store.heads(connection)
        shown = database.shown
    found = []
    here = archived_runs(workspace.layout.archives)
    for run in sorted({*heads, *here}):
        last = FileArchive(workspace.layout.archive(run)).last() if run in here else None
        head = heads.get(run)
        archived = last.seq if last else 0
        found.append(
            RunHeld(
                run=run,
                project=head.project if head else project_name(workspace),
                entries=head.seq if head else 0,
                archived=archived if run in here else None,
            )
        )
    return LedgerState(url=shown, schema=schema, wanted=SCHEMA, state=state, runs=tuple(found))


def upgrade(workspace: Workspace) -> tuple[str, str]:
    """Bring the ledger's tables to this program's: their schema before, and now.

    Raises:
        LedgerError: A newer program made it, or it cannot be written.
    """
    from callboard.ledger import schema

    with reached(workspace) as database:
        return schema.upgrade(database)


def verify(workspace: Workspace, run: str = "") -> tuple[Verified, ...]:
    """Look at every row of a run, or of all that the ledger has.

    Raises:
        LedgerError: It has no such run, or cannot be read.
    """
    from callboard.bus.archive import FileArchive
    from callboard.ledger import audit, store

    database = open_ledger(workspace)
    try:
        with database.reading() as connection:
            known = sorted(store.heads(connection))
        if run and run not in known:
            raise LedgerError(f"the ledger has nothing of run {run!r}; it has: {', '.join(known) or 'none'}")
        wanted = [run] if run else known
        return tuple(audit.verify(database, one, FileArchive(workspace.layout.archive(one))) for one in wanted)
    finally:
        database.close()


def rebuild_ledger(workspace: Workspace, run: str, say: Callable[[str], None]) -> tuple[Rebuilt, ...]:
    """Take a run, or every run that is archived here, into the ledger anew.

    Raises:
        RosterError: Another process writes the ledger now.
        LedgerError, ArchiveBroken: It cannot be done; nothing was removed.
    """
    from callboard.ledger.rebuilding import archived_runs, rebuild

    here = archived_runs(workspace.layout.archives)
    if run and run not in here:
        raise LedgerError(f"there is no archive of run {run!r} in {workspace.layout.archives}")
    lock = ProcessLock(workspace.layout.lock("ledger"))
    try:
        lock.acquire()
    except RosterError as error:
        raise RosterError(f"the ledger is written to now, by a launch or `callboard serve`: {error}") from error
    try:
        with reached(workspace) as database:
            return rebuild(database, workspace.layout.archives, [run] if run else here, project_name(workspace), say)
    finally:
        lock.release()
