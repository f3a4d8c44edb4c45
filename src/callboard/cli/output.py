"""What a command prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from callboard.cli.plain import lines
from callboard.launch.rows import to_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from callboard.launch.rows import JsonValue

FALLBACK_WIDTH = 160
"""Columns where stdout is no terminal and COLUMNS is not set."""


def print_json(value: JsonValue) -> None:
    """One JSON document on stdout. ASCII only, so that no terminal or locale can be upset by it."""
    print(json.dumps(to_json(value), indent=2))


def print_json_line(value: JsonValue) -> None:
    """One JSON document on one line: for commands that go on printing."""
    print(json.dumps(to_json(value)), flush=True)


def say(text: str = "") -> None:
    """A result, on stdout."""
    print(lines(text))


def note(text: str) -> None:
    """Progress or a hint, on stderr."""
    with suppress(BrokenPipeError):
        sys.stdout.flush()  # where both go to one place they stay in order
    print(lines(text), file=sys.stderr, flush=True)


def show(*renderables: RenderableType) -> None:
    """Tables and colours on stdout; plain text where it is no terminal."""
    out = console()
    if out.is_terminal:
        out.print(*renderables, sep="\n")
        return
    with out.capture() as capture:
        out.print(*renderables, sep="\n")
    print("\n".join(line.rstrip() for line in capture.get().splitlines()))


def console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    given = os.environ.get("COLUMNS", "")
    width = None if stream.isatty() or given.isdigit() else FALLBACK_WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def listed(words: Iterable[str], none: str = "none") -> str:
    return ", ".join(words) or none
