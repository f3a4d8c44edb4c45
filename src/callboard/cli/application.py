"""The table of commands, and `main`: the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from types import TracebackType

import typer

from callboard.bus.errors import CallboardError
from callboard.cli import (
    clean,
    dead,
    demo,
    directions,
    doctor,
    feedback,
    init,
    logs,
    look,
    recover,
    replay,
    roster,
    tasks,
    transcript,
)
from callboard.cli.output import note, print_json

EVERY_DAY = "Every day"
TASKS = "Tasks and answers"
LOOK = "Looking"
HOUSE = "Keeping house"

app = typer.Typer(
    name="callboard",
    help="A roster of coding agents on your git repository: people direct, agents work, code judges and merges.",
    epilog="New here? `callboard demo` shows everything in a minute; `callboard init` starts in your repository.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _top(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command(rich_help_panel=EVERY_DAY)(init.init)
app.command(rich_help_panel=EVERY_DAY)(roster.launch)
app.command(rich_help_panel=EVERY_DAY)(look.status)
app.command(rich_help_panel=EVERY_DAY)(roster.stop)
app.command(rich_help_panel=EVERY_DAY)(tasks.promote)
app.command(rich_help_panel=EVERY_DAY)(demo.demo)

app.command(rich_help_panel=TASKS)(tasks.assign)
app.command(rich_help_panel=TASKS)(tasks.cancel)
app.command(rich_help_panel=TASKS)(tasks.questions)
app.command(rich_help_panel=TASKS)(tasks.answer)
app.command(rich_help_panel=TASKS)(roster.pause)
app.command(rich_help_panel=TASKS)(roster.resume)
app.add_typer(directions.app, name="directions", rich_help_panel=TASKS)

app.command(rich_help_panel=LOOK)(feedback.feedback)
app.command(rich_help_panel=LOOK)(logs.logs)
app.command(rich_help_panel=LOOK)(transcript.transcript)
app.command(rich_help_panel=LOOK)(replay.replay)
app.command(rich_help_panel=LOOK)(look.runs)

app.command(rich_help_panel=HOUSE)(doctor.doctor)
app.command(rich_help_panel=HOUSE)(recover.recover)
app.command(rich_help_panel=HOUSE)(clean.clean)
app.add_typer(dead.dead, name="dead", rich_help_panel=HOUSE)
app.command(rich_help_panel=HOUSE)(look.version)

app.command(hidden=True)(roster.agent)
app.command(hidden=True)(roster.fork_server)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; its exit code.

    Args:
        argv: The words after `callboard`; None = those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    sys.excepthook = _on_unforeseen
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a letter shows another one
    try:
        result = app(words, prog_name="callboard", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # who read us has enough; the interpreter must not try to flush once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CallboardError, typer.TyperException, typer.Abort, KeyboardInterrupt, OSError, BaseExceptionGroup) as error:
        return _tell(error, json="--json" in words)
    return result if isinstance(result, int) else 0


def _on_unforeseen(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    from callboard.cli.errors import unforeseen

    note(unforeseen(error, os.environ))


def _tell(error: BaseException, *, json: bool) -> int:
    """Say it, once, without the secrets of this process. What nobody foresaw goes on as it is, with its traceback."""
    from callboard.cli.errors import cleaned, report

    told = report(error)
    if told is None:
        raise error
    told = cleaned(told, os.environ)
    if json:
        print_json({"error": told})
    note(f"error: {told.message}")
    return told.exit_code
