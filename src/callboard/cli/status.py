"""What `callboard status` prints; with the shortest way to it, past everything that takes long to import."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from callboard.cli.exit_codes import NOTHING_RUNS

if TYPE_CHECKING:
    from callboard.launch.summary import Status

ROWS = 30
"""Rows of a list that `status` shows without --all."""


def quick_status(words: Sequence[str]) -> int | None:
    """Answer `status`, where somebody knows the answer; its exit code, or None: the long way (look.py) is to be taken."""
    if list(words[:1]) != ["status"] or not {*words[1:]} <= {"--all", "--json"}:
        return None
    from callboard.launch.glance import glance

    found = glance(Path.cwd(), os.environ)
    return tell(found, everything="--all" in words, json="--json" in words) if found else None


def tell(found: Status, *, everything: bool, json: bool) -> int:
    """Print a status and what can be done next; the exit code."""
    from callboard.cli.output import note, print_json, say

    running = found.run is not None and found.run.running
    if json:
        print_json(found)
    else:
        from callboard.cli.advice import next_steps

        _draw(found, None if everything else ROWS)
        for step in next_steps(found):
            say(f"* {step}")
        if not running:
            note("nothing runs here now")
    return 0 if running else NOTHING_RUNS


def _draw(found: Status, rows: int | None) -> None:
    from callboard.bus.clock import utc_now
    from callboard.cli.output import say, show
    from callboard.cli.view import render

    if found.run is not None:
        show(render(found, rows=rows, now=utc_now()))
        say()
