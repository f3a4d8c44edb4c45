"""What goes to the scripts for one commit, emit or send: stamped messages, board changes, timers and the journal entry.

Pure: the clock and ids are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from callboard.bus.board import Change
from callboard.bus.errors import NotAllowed
from callboard.bus.journal import DeadNote, Step, encode_empty, encode_entry
from callboard.bus.keys import Keys
from callboard.bus.messages import JOURNAL, Draft, Envelope, FeedbackLogged, Outcome, emitted_id, outcome_id
from callboard.bus.redaction import Redactor
from callboard.bus.timer_keys import begins_with, keyed

Arg = str | bytes | int

KEEP_MS = 3_600_000
"""How long a commit, emit or send is remembered, so that its repeat is recognised."""
KEEP_OUTSIDE_MS = 24 * KEEP_MS
"""The same for a message from outside with an idempotency key."""


def check_sender(draft: Draft, sender: str) -> None:
    """Refuse what nobody may send in another's name.

    Raises:
        NotAllowed: An entry for another agent's feedback log, or one that is not for the journal.
    """
    body = draft.body
    if isinstance(body, FeedbackLogged) and (body.log != sender or draft.recipient != JOURNAL):
        raise NotAllowed(f"{sender} may write to its own feedback log only, through the journal; not to {body.log!r}")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One step, ready for its script."""

    messages: tuple[tuple[Envelope, str], ...]
    """Each with its JSON."""
    changes: tuple[Change, ...] = ()
    guards: tuple[tuple[str, int], ...] = ()
    timers: tuple[tuple[int, str, str], ...] = ()
    """(milliseconds from now, how the JSON of those begins whose place it takes, message JSON)."""
    cancelled: tuple[str, ...] = ()
    """How the JSON begins of timers that are taken away."""
    docs: tuple[str, ...] = field(init=False)
    """The JSON of the changed fields' documents."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "docs", tuple(change.doc.model_dump_json() for change in self.changes))

    def destinations(self, keys: Keys) -> list[str]:
        """The inboxes it sends to, once each."""
        return list(dict.fromkeys(keys.inbox(each.recipient) for each, _ in self.messages if each.recipient != JOURNAL))

    def message_args(self, keys: Keys) -> list[Arg]:
        """Count, then for each message the 1-based place of its destination and its JSON."""
        places = {key: place for place, key in enumerate(self.destinations(keys), 1)}
        rows = [(places[keys.inbox(each.recipient)], raw) for each, raw in self.messages if each.recipient != JOURNAL]
        return flat(rows)

    def change_args(self) -> list[Arg]:
        rows = zip(self.changes, self.docs, strict=True)
        return flat([(change.field, change.expected, doc) for change, doc in rows])

    def guard_args(self) -> list[Arg]:
        return flat(self.guards)

    def timer_args(self) -> list[Arg]:
        gone = [(0, begins, "") for begins in self.cancelled]
        return flat([*gone, *self.timers])

    def entry(
        self, step: Step, *, sender: str, cause: str = "", deliveries: int = 0, dead: DeadNote | None = None
    ) -> str:
        """The journal entry's JSON."""
        if self is EMPTY and not deliveries and dead is None:
            return encode_empty(step, sender=sender, cause=cause)
        return encode_entry(
            step,
            sender=sender,
            cause=cause,
            messages=(raw for _, raw in self.messages),
            changes=((change.field, doc) for change, doc in zip(self.changes, self.docs, strict=True)),
            timers=((after_ms, raw) for after_ms, _, raw in self.timers),
            cancelled=self.cancelled,
            deliveries=deliveries,
            dead=dead,
        )


EMPTY, NOTHING = Parcel(()), Outcome()


def flat(rows: Sequence[tuple[Arg, ...]]) -> list[Arg]:
    """Count, then the rows one after another; what `rows()` in lib.lua reads."""
    return [len(rows), *(part for row in rows for part in row)]


def pack_outcome(
    outcome: Outcome, handled: Envelope, *, sender: str, now: datetime, redactor: Redactor | None = None
) -> Parcel:
    """Stamp what a handler returned. Of board changes nothing is redacted: what is in them has come by messages.

    Raises:
        NotAllowed: See check_sender.
        ValueError: It changes one board field twice.
    """
    if outcome == NOTHING:
        return EMPTY
    fields = [change.field for change in outcome.changes]
    if len(set(fields)) != len(fields):
        raise ValueError(f"an outcome changes a board field twice: {sorted(fields)}")
    drafts = [*outcome.messages, *(timer.draft for timer in outcome.timers)]
    ids = (outcome_id(handled.id, n) for n in range(len(drafts)))
    stamped = stamp(drafts, ids, handled, sender=sender, now=now, redactor=redactor)
    delays = [max(0, round(timer.after.total_seconds() * 1000)) for timer in outcome.timers]
    later = stamped[len(outcome.messages) :]
    return Parcel(
        messages=stamped[: len(outcome.messages)],
        changes=outcome.changes,
        guards=outcome.guards,
        timers=tuple(
            (after, *keyed(raw, timer.key))
            for after, timer, (_, raw) in zip(delays, outcome.timers, later, strict=True)
        ),
        cancelled=tuple(map(begins_with, outcome.cancelled)),
    )


def pack_emitted(
    drafts: Sequence[Draft],
    handled: Envelope,
    deliveries: int,
    first: int,
    *,
    sender: str,
    now: datetime,
    redactor: Redactor | None = None,
) -> Parcel:
    """Stamp what a handler emits; `first` counts what it emitted before in this delivery."""
    ids = (emitted_id(handled.id, deliveries, first + n) for n in range(len(drafts)))
    return Parcel(stamp(drafts, ids, handled, sender=sender, now=now, redactor=redactor))


def stamp(
    drafts: Iterable[Draft],
    ids: Iterable[str],
    handled: Envelope,
    *,
    sender: str,
    now: datetime,
    redactor: Redactor | None = None,
) -> tuple[tuple[Envelope, str], ...]:
    stamped = []
    for draft, id in zip(drafts, ids, strict=False):
        check_sender(draft, sender)
        envelope = draft.stamp(id=id, run=handled.run, sender=sender, now=now, cause=handled)
        stamped.append((envelope, envelope.encode(redactor)))
    return tuple(stamped)
