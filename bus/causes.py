"""What led to what: the messages of a run as trees, from its journal; pure."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from datetime import datetime

from callboard.bus.journal import JournalEntry
from callboard.bus.messages import JOURNAL, Envelope


@dataclass(frozen=True, slots=True)
class Traced:
    """A message, what it came from, and what became of it."""

    depth: int
    """0 for the top of a tree; a message is one deeper than its cause."""
    id: str
    cause: str
    """The id of the message whose handling sent it; "" where a chain starts."""
    kind: str
    sender: str
    recipient: str
    task: str
    attempt: int
    sent_at: datetime
    """When it was put into its inbox, by the server's clock."""
    handled_at: datetime | None
    """When its handling was committed; None = not yet, or never."""
    dead: str
    """Why it was given up, in short; "" = it was not."""


@dataclass(slots=True)
class _Known:
    """A message as it is found while the journal is read."""

    envelope: Envelope
    sent_at: datetime
    handled_at: datetime | None = None
    dead: str = ""
    led_to: list[str] = field(default_factory=list)


class Causes:
    """Every message of a run that went to an inbox, by its id."""

    def __init__(self, entries: Iterable[JournalEntry]) -> None:
        self._known: dict[str, _Known] = {}
        self._parents: dict[str, str] = {}
        for entry in entries:
            self._add(entry)

    def _add(self, entry: JournalEntry) -> None:
        cause = self._known.get(entry.cause)
        for envelope in entry.messages:
            if envelope.recipient == JOURNAL or envelope.id in self._known:
                continue
            self._known[envelope.id] = _Known(envelope, entry.at)
            parent = self._known.get(envelope.in_reply_to)
            if parent is not None:
                parent.led_to.append(envelope.id)
                self._parents[envelope.id] = envelope.in_reply_to
        if cause is None:
            return
        match entry.step:
            case "commit":
                cause.handled_at = entry.at
            case "bury" if entry.dead is not None:
                cause.dead = entry.dead.reason
            case "retry":
                cause.dead = ""
            case _:
                pass

    def of_task(self, task: str) -> tuple[Traced, ...]:
        """The messages about a task, each after the one it came from; what came from elsewhere is at depth 0."""
        about = {id for id, known in self._known.items() if known.envelope.task == task}
        tops = [id for id in self._known if id in about and self._parents.get(id) not in about]
        return self._trees(tops, about)

    def of_message(self, start: str) -> tuple[Traced, ...]:
        """Everything a message led to, after the line of messages it came from.

        Args:
            start: The message's id, or enough of its beginning.

        Returns:
            One tree; none when there is no such message, several when the beginning fits several.
        """
        return tuple(
            traced
            for id in self._known
            if id.startswith(start)
            for line in [self._line_to(id)]
            for traced in self._trees(line[:1], {*line, *self._below(id)})
        )

    def _line_to(self, id: str) -> list[str]:
        """From where its chain starts to the message."""
        line = [id]
        while parent := self._parents.get(line[-1]):
            line.append(parent)
        return line[::-1]

    def _below(self, id: str) -> set[str]:
        found, ahead = set[str](), [id]
        while ahead:
            found.add(one := ahead.pop())
            ahead.extend(self._known[one].led_to)
        return found

    def _trees(self, tops: Iterable[str], shown: Set[str]) -> tuple[Traced, ...]:
        """Depth first. A chain of messages is longer than Python's stack is deep."""
        found, ahead = list[Traced](), [(0, id) for id in reversed(list(tops))]
        while ahead:
            depth, id = ahead.pop()
            known = self._known[id]
            found.append(_traced(depth, self._parents.get(id, ""), known))
            ahead.extend((depth + 1, one) for one in reversed(known.led_to) if one in shown)
        return tuple(found)


def _traced(depth: int, cause: str, known: _Known) -> Traced:
    envelope = known.envelope
    return Traced(
        depth=depth,
        id=envelope.id,
        cause=cause,
        kind=envelope.kind,
        sender=envelope.sender,
        recipient=envelope.recipient,
        task=envelope.task,
        attempt=envelope.attempt,
        sent_at=known.sent_at,
        handled_at=known.handled_at,
        dead=known.dead,
    )
