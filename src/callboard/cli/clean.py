"""`callboard clean`: gives disk space back; never anything with work that is kept nowhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import RosterError
from callboard.cli.options import Json
from callboard.cli.output import plural, print_json, say
from callboard.cli.session import launchers, open_workspace, wait_for

if TYPE_CHECKING:
    from callboard.agents.workspace.tidy import Removal
    from callboard.app import Workspace


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One thing, as `--json` gives it."""

    what: str
    """clone, slot, scratch, branch, pins or bus."""
    name: str
    size: int
    """Bytes."""
    count: int
    removed: bool
    why_not: str
    """Why it stayed; "" = it is gone, or would be without --dry-run."""


def clean(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; remove nothing.")] = False,
    json: Json = False,
) -> None:
    """Remove what can be made again.

    Clones, gate slots, scratch folders; branches, pins and bus data of promoted runs.
    What a clone still holds is kept first: `callboard recover` lists it.
    Logs, feedback and the newest run stay.
    """
    from callboard.agents.workspace.locks import ProcessLock
    from callboard.launch.runs import runs

    workspace = open_workspace()
    old = runs(workspace.repository)[:-1]
    lock = ProcessLock(workspace.layout.lock("launch"))
    lock.acquire()
    try:
        _nobody_runs(workspace)
        rows = [_clean(removal, dry_run=dry_run) for removal in _removals(workspace)]
        rows += _clean_bus(workspace, old, dry_run=dry_run)
    finally:
        lock.release()
    if json:
        print_json(rows)
    else:
        _tell(rows, dry_run=dry_run)


def _nobody_runs(workspace: Workspace) -> None:
    """Agents of a `launch --only` work in the clones and scratch folders that would go.

    Raises:
        RosterError: One runs here.
    """
    others = [holder for holder in launchers(workspace) if holder.pid != os.getpid()]
    if others:
        raise RosterError(f"agents run here (launched by process {others[0].pid}); `callboard stop` first, then clean")


def _removals(workspace: Workspace) -> list[Removal]:
    from callboard.agents.workspace.tidy import removable_folders, removable_refs
    from callboard.launch.runs import runs

    project = workspace.settings.project
    folders = removable_folders(workspace.layout, workspace.clone)
    refs = removable_refs(workspace.repository, runs(workspace.repository)[:-1], project.integration, project.target)
    return [*folders, *refs]


def _clean(removal: Removal, *, dry_run: bool) -> Cleaned:
    if not removal.why_not and not dry_run:
        removal.act()
    return Cleaned(
        what=removal.what,
        name=removal.name,
        size=removal.size,
        count=removal.count,
        removed=not removal.why_not and not dry_run,
        why_not=removal.why_not,
    )


def _clean_bus(workspace: Workspace, runs: list[str], *, dry_run: bool) -> list[Cleaned]:
    from callboard.launch.old_runs import clear

    return [
        Cleaned(
            what="bus",
            name=old.run,
            size=old.size,
            count=1,
            removed=not old.why_not and not dry_run,
            why_not=old.why_not,
        )
        for old in wait_for(clear(workspace, runs, dry_run=dry_run))
    ]


def _tell(rows: list[Cleaned], *, dry_run: bool) -> None:
    for row in rows:
        what = {"pins": f"{row.count} pins below", "bus": "bus data of run"}.get(row.what, row.what) + f" {row.name}"
        size = f" ({sized(row.size)})" if row.size else ""
        if row.why_not:
            say(f"stays: {what}: {row.why_not}")
        else:
            say(f"{'would go' if dry_run else 'gone'}: {what}{size}")
    gone = [row for row in rows if not row.why_not]
    total = sized(sum(row.size for row in gone))
    say(f"{plural(len(gone), 'thing')}, {total}" + (" would go; this was a dry run" if dry_run else ", removed"))


def sized(size: int) -> str:
    """Bytes for people."""
    return f"{size / 1_000_000:,.1f} MB" if size >= 100_000 else f"{size / 1000:.1f} kB"
