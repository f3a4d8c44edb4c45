"""An agent's log as people and scripts see it: `callboard feedback --json` is a list of EntryRow."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import datetime

from callboard.bus.errors import RosterError
from callboard.feedback.entry import Entry
from callboard.feedback.log import FeedbackLog, logs_in
from callboard.settings import Settings


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


def find_log(settings: Settings, agent: str) -> FeedbackLog:
    """The log of an agent who is on the roster, or was.

    Raises:
        RosterError: Nobody of this name is, or has a log.
    """
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
