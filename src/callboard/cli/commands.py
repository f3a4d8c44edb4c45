"""The table of commands."""

from __future__ import annotations

from importlib import import_module
from typing import Annotated

import typer

EVERY_DAY = "Every day"
TASKS = "Tasks and answers"
DEPLOY = "Deploying"
LOOK = "Looking"
HOUSE = "Keeping house"
HIDDEN = ""
"""For what we start ourselves."""

COMMANDS = {
    EVERY_DAY: ("init:init", "roster:launch", "look:status", "roster:stop", "tasks:promote", "demo:demo"),
    TASKS: (
        "tasks:assign",
        "tasks:cancel",
        "questions:questions",
        "questions:answer",
        "issues:issues",
        "roster:pause",
        "roster:resume",
        "directions:directions",
        "plan:plan",
    ),
    DEPLOY: ("deploy:deploy", "deploy:deployments", "deploy:rollback"),
    LOOK: (
        "feedback:feedback",
        "logs:logs",
        "transcript:transcript",
        "reviews:reviews",
        "record:record",
        "replay:replay",
        "costs:costs",
        "queue:queue",
        "bus:bus",
        "look:runs",
        "ready:ready",
        "serve:serve",
        "mcp:mcp",
    ),
    HOUSE: (
        "doctor:doctor",
        "gate:gate",
        "recover:recover",
        "clean:clean",
        "notify:notify",
        "token:token",
        "dead:dead",
        "archive:export",
        "archive:import_",
        "archive:rebuild",
        "ledger:ledger",
        "ledger:audit",
        "look:version",
    ),
    HIDDEN: ("roster:agent", "roster:fork_server"),
}
"""Panel of the help -> commands: the module beside this one, and the function in it or the group of commands."""


def application(word: str = "") -> typer.Typer:
    """What `callboard` understands.

    Args:
        word: The command that is wanted, which is then the only one: importing the others takes longer than most commands.
            Where there is no such command, all of them.
    """
    rows = [(panel, row) for panel, rows in COMMANDS.items() for row in rows]
    wanted = [(panel, row) for panel, row in rows if _called(row) == word]
    app = typer.Typer(
        name="callboard",
        help="A roster of coding agents on your git repository: people direct, agents work, code judges and merges.",
        epilog="New here? `callboard demo` shows everything in half a minute; `callboard init` starts in your repository.\n\n"
        "Exit codes: 0 done; 1 failed; 2 the command line or a file cannot be read; 3 nothing runs here; "
        "4 only people can go on; 130 Ctrl-C.",
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_top)
    for panel, row in wanted or rows:
        module, _, name = row.partition(":")
        found = getattr(import_module(f"callboard.cli.{module}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, rich_help_panel=panel)
        else:
            app.command(_called(row), rich_help_panel=panel or None, hidden=panel == HIDDEN)(found)
    return app


def _called(row: str) -> str:
    return row.partition(":")[2].rstrip("_").replace("_", "-")


def _top(
    context: typer.Context,
    is_version_wanted: Annotated[bool, typer.Option("--version", help="Say which Callboard this is.")] = False,
) -> None:
    if is_version_wanted:
        from callboard.cli.look import version

        version()
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())
