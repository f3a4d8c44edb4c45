"""What a run's journal comes to, batch by batch: rows of the archive in, rows of the ledger out. Pure.

Whatever the batches, the ledger is the same after the same entry: of a document that changed five times in one batch only
the last version is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from pydantic import ValidationError

from callboard.bus.archive import Row
from callboard.bus.board import PREFIXES, Board, Change, decode_doc
from callboard.bus.caps import OpenCall, Spent, amounts
from callboard.bus.errors import BadMessage, LedgerBroken
from callboard.bus.messages import Envelope, MessageRefused
from callboard.feedback.document import HandedIn, document_of
from callboard.ledger.board_rows import board_records
from callboard.ledger.records import BoardRecord, CallRecord, DocumentRecord, Record, SpendRecord
from callboard.ledger.texts import storable

_Doc = dict[str, Any]
_HANDED_IN = frozenset(kind.kind for kind in get_args(HandedIn))
LOST = "lost"


@dataclass(frozen=True, slots=True)
class Standing:
    """What of a run the next batch goes on from."""

    run: str
    project: str = ""
    seq: int = 0
    board: Board = field(default_factory=Board)
    spent: Mapping[str, Spent] = field(default_factory=dict)
    """By scope."""
    open: Mapping[str, CallRecord] = field(default_factory=dict)
    """Calls that are not settled."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that its receiver did not take: its sender may not send such a one."""

    message: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What some entries change in the ledger."""

    standing: Standing
    records: tuple[Record, ...]
    """Each takes the place of the row with its key."""
    refusals: tuple[Refusal, ...] = ()
    begins_anew: bool = False
    """What the board and spend were before is void: entries are missing, and a snapshot took their place."""


def fold(before: Standing, rows: Sequence[Row]) -> Batch:
    """Add up the next entries of a run.

    Raises:
        LedgerBroken: One cannot be read.
    """
    batch = _Batch(before)
    for row in rows:
        try:
            batch.take(row)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise LedgerBroken(f"entry {row.seq} of run {before.run} cannot be read: {error}") from error
    return batch.finish()


class _Batch:
    """Of one batch, while it is added up."""

    def __init__(self, before: Standing) -> None:
        self._before = before
        self._docs: dict[str, str] = {}
        self._spent = dict(before.spent)
        self._added: dict[str, dict[str, int]] = {}
        """By scope, since `_spent`: sums of plain numbers, for a scope is paid into by many calls."""
        self._calls: dict[str, CallRecord] = {}
        self._open = dict(before.open)
        self._documents: list[DocumentRecord] = []
        self._refusals: list[Refusal] = []
        self._seq = before.seq
        self._begins_anew = False

    def take(self, row: Row) -> None:
        doc: _Doc = json.loads(row.entry)
        self._seq = row.seq
        if row.is_snapshot:
            self._begin_anew(doc["state"], row.at)
            return
        for change in doc.get("changes", ()):
            self._docs[change["field"]] = change["doc"]
        match doc.get("step"):
            case "reserve":
                self._reserve(OpenCall.model_validate(doc["call"]), row.at)
            case "settle":
                self._settle(
                    OpenCall.model_validate(doc["paid"]["call"]), Spent.model_validate(doc["paid"]["paid"]), row.at
                )
        for message in doc.get("messages", ()):
            if message["kind"] in _HANDED_IN:
                self._documents += _document(self._before.run, row, message)
            elif message["kind"] == MessageRefused.kind:
                self._refusals += _refusal(message)

    def finish(self) -> Batch:
        changes = [Change(name, decode_doc(name, doc)) for name, doc in self._docs.items() if _kind(name) in PREFIXES]
        was = Board() if self._begins_anew else self._before.board
        board = was.with_changes(changes)
        fields = [change.field for change in changes]
        run = self._before.run
        records: list[Record] = [BoardRecord(run, name, doc) for name, doc in self._docs.items()]
        records += board_records(run, self._before.project, board, fields)
        records += self._calls.values()
        records += [spend_record(run, scope, self._paid_by(scope)) for scope in sorted(self._added)]
        records += self._documents
        after = replace(self._before, seq=self._seq, board=board, spent=self._spent, open=self._open)
        return Batch(after, tuple(records), tuple(self._refusals), self._begins_anew)

    def _reserve(self, call: OpenCall, at: int) -> None:
        self._calls[call.id] = self._open[call.id] = _opened(self._before.run, call, at)

    def _settle(self, call: OpenCall, paid: Spent, at: int) -> None:
        held = self._open.pop(call.id, None) or _opened(self._before.run, call, None)
        self._calls[call.id] = replace(held, state="settled", settled_at=at, **paid.model_dump())
        self._count(amounts(call, paid))

    def _count(self, found: Iterable[tuple[str, int]]) -> None:
        for name, amount in found:
            scope, _, what = name.rpartition(" ")
            sums = self._added.setdefault(scope, {})
            sums[what] = sums.get(what, 0) + amount

    def _paid_by(self, scope: str) -> Spent:
        """By a scope, with what was added."""
        spent = self._spent.get(scope, Spent())
        sums = {what: getattr(spent, what) + amount for what, amount in self._added[scope].items()}
        self._spent[scope] = spent.model_copy(update=sums)
        return self._spent[scope]

    def _begin_anew(self, state: _Doc, at: int) -> None:
        self._begins_anew = True
        self._docs = dict(state["board"])
        self._spent, self._added = {}, {}
        self._count(state["spend"].items())
        held = {id: OpenCall.model_validate_json(raw) for id, raw in state["reserved"].items()}
        self._calls |= {id: replace(call, state=LOST) for id, call in self._open.items() if id not in held}
        self._open = {id: self._open.get(id) or _opened(self._before.run, call, at) for id, call in held.items()}
        self._calls |= self._open


def _opened(run: str, call: OpenCall, at: int | None) -> CallRecord:
    return CallRecord(
        run=run,
        id=call.id,
        agent=call.agent,
        task=call.task,
        tier=call.tier,
        model=call.model,
        state="open",
        held_tokens=call.tokens,
        held_micro_usd=call.micro_usd,
        calls=0,
        input_tokens=0,
        output_tokens=0,
        cached_tokens=0,
        micro_usd=0,
        unpriced=0,
        reserved_at=at,
        settled_at=None,
    )


def spend_record(run: str, scope: str, spent: Spent) -> SpendRecord:
    return SpendRecord(run=run, scope=scope, **spent.model_dump())


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _document(run: str, row: Row, message: _Doc) -> Iterator[DocumentRecord]:
    """The page that a message hands in; none of one that only a newer program can read."""
    with suppress(BadMessage, ValidationError):
        envelope = Envelope.model_validate(message)
        if isinstance(envelope.body, HandedIn):
            page = document_of(envelope, envelope.body)
            yield DocumentRecord(
                run=run,
                message=envelope.id,
                seq=row.seq,
                agent=envelope.sender,
                kind=envelope.kind,
                task=envelope.task,
                attempt=envelope.attempt,
                path=page.path,
                content=storable(page.content.decode("utf-8", "replace")),
                refused="",
                at=row.at,
            )


def _refusal(message: _Doc) -> Iterator[Refusal]:
    with suppress(BadMessage, ValidationError):
        body = Envelope.model_validate(message).body
        if isinstance(body, MessageRefused):
            yield Refusal(body.refused, storable(body.reason))
