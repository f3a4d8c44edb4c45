"""`callboard feedback`: what an agent did, read from its log alone; works when nothing runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.cli.options import JsonLines
from callboard.cli.output import note, print_json, print_json_line, say
from callboard.cli.session import open_workspace

if TYPE_CHECKING:
    from callboard.feedback.entry import Entry

LOOK_EVERY_S = 0.25
"""Between two looks at a followed log: at once for a person, nothing for a disk."""


def feedback(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whose log: a name of the roster.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is logged from now on.")] = False,
    search_for: Annotated[
        str, typer.Option("--search", help="Only entries with all of these words.", metavar="WORDS")
    ] = "",
    json: JsonLines = False,
) -> None:
    """What an agent did, oldest first, the archive of its log included."""
    from callboard.launch.feedback_logs import find_log, row

    log = find_log(open_workspace().settings, agent)
    if follow:
        with suppress(KeyboardInterrupt):
            _print(_chosen(log.follow(lambda: time.sleep(LOOK_EVERY_S)), search_for), json)
        return
    entries = list(_chosen(log.entries(), search_for))
    if json:
        print_json([row(entry) for entry in entries])
    elif entries:
        _print(entries, json)
    else:
        note(f"{agent} has logged nothing {'like that' if search_for else 'yet'}")


def page(entry: Entry) -> str:
    """An entry for a terminal: its log's words without its Markdown."""
    subject = f"{entry.task} {entry.title}".strip()
    head = "  ".join([f"{entry.at:%Y-%m-%d %H:%M:%SZ}", entry.kind, *([subject] if subject else [])])
    text = [f"    {line}".rstrip() for line in entry.text.split("\n")] if entry.text else []
    return "\n".join([head, *(f"  - {fact}" for fact in entry.facts), *text, ""])


def _chosen(entries: Iterable[Entry], words: str) -> Iterator[Entry]:
    from callboard.feedback.log import search

    yield from search(entries, words) if words else entries


def _print(entries: Iterable[Entry], as_json: bool) -> None:
    from callboard.launch.feedback_logs import row

    for entry in entries:
        if as_json:
            print_json_line(row(entry))
        else:
            say(page(entry))
            sys.stdout.flush()
