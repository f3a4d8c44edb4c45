"""`main`: the one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from types import TracebackType

from callboard.bus.errors import CallboardError
from callboard.cli.output import note, print_json
from callboard.cli.status import quick_status


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
        code = quick_status(words)
        code = _run(words) if code is None else code
        sys.stdout.flush()
    except BrokenPipeError:
        # who read us has enough; the interpreter must not try to flush once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CallboardError, KeyboardInterrupt, OSError, BaseExceptionGroup) as error:
        return _tell(error, json="--json" in words)
    return code


def _run(words: Sequence[str]) -> int:
    import typer  # here: it takes longer to import than a status to answer

    from callboard.cli.commands import application

    try:
        result = application(words[0] if words else "")(words, prog_name="callboard", standalone_mode=False)
    except (typer.TyperException, typer.Abort) as error:
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
