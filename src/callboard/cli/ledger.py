"""`callboard ledger` and `callboard audit`: the ledger's tables, and whether they are what was archived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.exit_codes import FAILED
from callboard.cli.options import Json
from callboard.cli.output import plural, print_json, say
from callboard.cli.session import open_workspace

if TYPE_CHECKING:
    from callboard.launch.auditing import RunHeld

Run = Annotated[str, typer.Argument(metavar="RUN", help="The run, as `callboard runs` lists it; else every one.")]

ledger = typer.Typer(no_args_is_help=True, help="The ledger's tables: what they are, and bringing them forward.")
audit = typer.Typer(no_args_is_help=True, help="Whether the ledger is what was archived.")


@ledger.command()
def check(json: Json = False) -> None:
    """Where the ledger is, whether this program can write it, and how far each run is in it."""
    from callboard.launch.auditing import look

    found = look(open_workspace())
    if json:
        print_json({"ok": found.is_well, "ledger": found})
    else:
        say(f"ledger {found.url}: schema {found.schema or 'none yet, it is empty'}, this program's is {found.wanted}")
        for held in found.runs:
            say(f"run {held.run} of {held.project}: {_how_far(held)}")
        if found.state == "older":
            say("`callboard ledger upgrade` brings it forward; older programs then refuse it")
        if found.state == "newer":
            say("a newer Callboard made it, so this one does not touch it: install the newer one")
    if not found.is_well:
        raise typer.Exit(FAILED)


@ledger.command()
def upgrade(json: Json = False) -> None:
    """Bring the ledger's tables to this program's. There is no way back: keep a copy.

    An embedded ledger, too, waits for this; a launch goes on without the ledger meanwhile.
    """
    from callboard.launch.auditing import upgrade as run

    before, now = run(open_workspace())
    if json:
        print_json({"ok": True, "before": before, "now": now})
    elif before == now:
        say(f"the ledger has schema {now} already; nothing was to be done")
    else:
        say(f"the ledger has schema {now} now" + (f"; it had {before}" if before else ": its tables are made"))


@audit.command()
def verify(run: Run = "", json: Json = False) -> None:
    """Look at every row of the ledger; the first that is not as it has to be is named, for each run.

    Every hash of the journal, each entry against its archive where that is here, and each row that follows from them.
    """
    from callboard.launch.auditing import verify as look

    found = look(open_workspace(), run)
    is_well = all(one.fault is None for one in found)
    if json:
        print_json({"ok": is_well, "runs": found})
    else:
        for one in found:
            if one.fault:
                say(f"run {one.run}: {one.fault}")
            else:
                rows = f"{plural(one.entries, 'journal row')} and {plural(one.rows, 'row')} that follow"
                say(f"run {one.run}: {rows} are right")
        if not found:
            say("the ledger has no runs yet")
    if not is_well:
        raise typer.Exit(FAILED)


def _how_far(held: RunHeld) -> str:
    if held.archived is None:
        return f"{plural(held.entries, 'journal row')}; it is not archived in this workspace"
    if held.entries == held.archived:
        return f"all {plural(held.entries, 'journal row')}"
    return f"{held.entries} of {plural(held.archived, 'journal row')}; a launch writes what is missing"
