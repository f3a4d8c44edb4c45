"""`main`: the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from types import TracebackType

import typer

from callboard.bus.errors import CallboardError
from callboard.cli.commands import application
from callboard.cli.output import note, print_json


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
        app = application(words[0] if words else "")
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
