"""`callboard feedback`: what an agent did, read from its log alone; works when nothing runs."""

from __future__ import annotations

import difflib
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from callboard.bus.errors import RosterError
from callboard.cli.options import JsonLines
from callboard.cli.output import note, print_json, print_json_line, say
from callboard.cli.session import open_workspace

if TYPE_CHECKING:
    from callboard.feedback.entry import Entry
    from callboard.feedback.log import FeedbackLog
    from callboard.settings import Settings

LOOK_EVERY_S = 0.25
"""Between two looks at a followed log: at once for a person, nothing for a disk."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry, as `--json` prints it."""

    id: str
    """`<run>/<seq>.<n>`: where in the run's journal it came from."""
    at: datetime
    kind: str
    task: str
    """The task's id; "" when it is about none."""
    title: str
    text: str
    facts: tuple[str, ...]


def feedback(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whose log: a name of the roster.")],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is logged from now on.")] = False,
    search_for: Annotated[
        str, typer.Option("--search", help="Only entries with all of these words.", metavar="WORDS")
    ] = "",
    json: JsonLines = False,
) -> None:
    """What an agent did, oldest first, the archive of its log included."""
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


def find_log(settings: Settings, agent: str) -> FeedbackLog:
    """The log of an agent who is on the roster, or was.

    Raises:
        RosterError: Nobody of this name is, or has a log.
    """
    from callboard.feedback.log import FeedbackLog, logs_in

    folder = settings.root / settings.paths.feedback
    known = sorted({*(member.name for member in settings.agents), *logs_in(folder)})
    if agent not in known:
        close = difflib.get_close_matches(agent, known, n=1)
        meant = f"did you mean {close[0]!r}? " if close else ""
        raise RosterError(f"there is no agent {agent!r} here; {meant}there are {', '.join(known)}")
    return FeedbackLog(folder, agent)


def row(entry: Entry) -> EntryRow:
    return EntryRow(
        id=str(entry.id),
        at=entry.at,
        kind=entry.kind,
        task=entry.task,
        title=entry.title,
        text=entry.text,
        facts=entry.facts,
    )


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
    for entry in entries:
        if as_json:
            print_json_line(row(entry))
        else:
            say(page(entry))
            sys.stdout.flush()
