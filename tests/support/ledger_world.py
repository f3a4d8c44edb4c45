"""What a ledger holds, and what it has to hold: the sum of a journal, added up in one go by other code than the archiver's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path

from sqlalchemy import Table as SqlTable
from sqlalchemy import select

from callboard.bus.archive import FIRST_HASH, FileArchive, Row, next_hash
from callboard.bus.board import PREFIXES, Board, Change, decode_doc
from callboard.bus.caps import OpenCall, Spent
from callboard.bus.doc import Doc
from callboard.bus.journal import PaidCall, encode_entry
from callboard.bus.run_state import RunState
from callboard.ledger.archiver import LedgerArchiver
from callboard.ledger.board_rows import board_records
from callboard.ledger.database import Database
from callboard.ledger.records import BoardRecord, CallRecord, DocumentRecord, Record, SpendRecord
from callboard.ledger.tables import ARCHIVED, FOLDED, JOURNAL

Table = dict[tuple[object, ...], dict[str, object]]
"""Key -> row."""
RUN = "20261121-091407"
SEED = 20261121
"""Of what is drawn in tests that take seconds; long ones draw with the session's."""
_ADDED_UP = (CallRecord, DocumentRecord)
BY_NAME = {table.name: kind for kind, table in FOLDED.items()}


def held(database: Database, run: str) -> dict[str, Table]:
    """Every row of a run, by table."""
    tables = {**{table.name: table for table in FOLDED.values()}, "journal": JOURNAL, "archived": ARCHIVED}
    return {name: _rows(database, table, run) for name, table in tables.items()}


def _rows(database: Database, table: SqlTable, run: str) -> Table:
    keys = [column.name for column in table.primary_key]
    with database.reading() as connection:
        rows = connection.execute(select(table).where(table.c.run == run)).mappings()
        return {tuple(row[key] for key in keys): dict(row) for row in rows}


class Due:
    """What has to be in a ledger, added up entry by entry; of calls and documents what the entries themselves say.

    Without snapshots among them: those say nothing of calls that were settled, and documents.
    """

    def __init__(self, run: str, project: str) -> None:
        self.run = run
        self.project = project
        self.state = RunState()
        self.hash = FIRST_HASH
        self.opened = set[str]()
        self.paid: dict[str, int] = {}
        """Call -> tokens."""
        self.verdicts: dict[str, str] = {}
        """Message -> why it was refused, "" = it was not."""

    def add(self, row: Row) -> dict[str, object]:
        """The journal's row of it."""
        self.state.apply(row)
        self.hash = next_hash(self.hash, row)
        entry = json.loads(row.entry)
        if entry["step"] == "reserve":
            self.opened.add(entry["call"]["id"])
        if entry["step"] == "settle":
            id, spent = entry["paid"]["call"]["id"], entry["paid"]["paid"]
            self.opened.discard(id)
            self.paid[id] = spent["input_tokens"] + spent["output_tokens"]
        for message in entry["messages"]:
            if message["kind"] == "verdict.given":
                self.verdicts[message["id"]] = ""
            if message["kind"] == "message.refused":
                body = message["body"]
                self.verdicts[body["refused"]] = body["reason"].replace("\0", "\N{REPLACEMENT CHARACTER}")
        return {"run": self.run, "seq": row.seq, "at": row.at, "hash": self.hash, "entry": row.entry}

    @property
    def archived(self) -> dict[str, object]:
        return {"run": self.run, "project": self.project, "seq": self.state.seq, "at": self.state.at, "hash": self.hash}


def folded(run: str, project: str, state: RunState) -> dict[str, Table]:
    """What follows from a state: every table but calls and documents, of which it does not know those that are over."""
    found: dict[str, Table] = {table.name: {} for kind, table in FOLDED.items() if kind not in _ADDED_UP}
    for record in _records(run, project, state):
        table = FOLDED[type(record)]
        row = asdict(record)
        found[table.name][tuple(row[column.name] for column in table.primary_key)] = row
    return found


def _records(run: str, project: str, state: RunState) -> Iterable[Record]:
    docs = {field: doc for field, doc in state.board.items() if field.partition(":")[0] in PREFIXES}
    board = Board().with_changes(Change(field, decode_doc(field, doc)) for field, doc in docs.items())
    yield from board_records(run, project, board, docs)
    yield from (BoardRecord(run, field, doc) for field, doc in state.board.items())
    scopes = dict.fromkeys(name.rpartition(" ")[0] for name in state.spend)
    whats = ("calls", "input_tokens", "output_tokens", "cached_tokens", "micro_usd", "unpriced")
    for scope in scopes:
        yield SpendRecord(run, scope, *(state.spend.get(f"{scope} {what}", 0) for what in whats))


def assert_is_the_fold(database: Database, run: str, project: str, rows: Iterable[Row]) -> None:
    """The ledger has of a run just what follows from these entries (see `Due`); they are looked at one by one."""
    wanted = Due(run, project)
    asked = select(JOURNAL).where(JOURNAL.c.run == run).order_by(JOURNAL.c.seq)
    with database.reading() as connection:
        journal = connection.execution_options(yield_per=1_000).execute(asked).mappings()
        for row, here in zip_longest(rows, journal):
            assert row is not None, f"there is a journal row {here} that nobody wrote"
            assert here is not None, f"journal row {row.seq} is missing"
            assert dict(here) == wanted.add(row)
    assert list(_rows(database, ARCHIVED, run).values()) == [wanted.archived]
    for name, due in folded(run, project, wanted.state).items():
        assert _rows(database, FOLDED[BY_NAME[name]], run) == due, name
    _assert_calls_and_documents(database, wanted)


def _assert_calls_and_documents(database: Database, wanted: Due) -> None:
    calls = _rows(database, FOLDED[CallRecord], wanted.run).values()
    assert {str(call["id"]) for call in calls if call["state"] == "open"} == wanted.opened
    settled = (call for call in calls if call["state"] == "settled")
    assert {
        str(call["id"]): int(str(call["input_tokens"])) + int(str(call["output_tokens"])) for call in settled
    } == wanted.paid
    documents = _rows(database, FOLDED[DocumentRecord], wanted.run).values()
    assert {str(one["message"]): one["refused"] for one in documents} == wanted.verdicts


class World:
    """Archives in a folder, and who takes them into a ledger."""

    def __init__(self, folder: Path, database: Database, project: str = "shop") -> None:
        self.folder = folder
        self.project = project
        self.database = database
        self.said: list[str] = []
        self.archiver = self.new()

    def new(self) -> LedgerArchiver:
        self.archiver = LedgerArchiver(self.folder, self.database, self.project, self.said.append)
        return self.archiver

    def append(self, rows: list[Row], run: str = RUN) -> None:
        FileArchive(self.folder / run).append(rows)

    def take(self) -> int:
        """How many batches were written."""
        batches = 0
        while self.archiver.step():
            batches += 1
        return batches


def told(seq: int, docs: dict[str, Doc]) -> Row:
    """An entry that changes these documents of the board."""
    changes = [(field, doc.model_copy(update={"version": seq}).model_dump_json()) for field, doc in docs.items()]
    return Row(seq, 1_795_252_000_000 + seq, encode_entry("commit", sender="manager", cause="m", changes=changes))


def paid(seq: int, call: OpenCall, spent: Spent) -> Row:
    """An entry that settles a call."""
    entry = encode_entry("settle", sender=call.agent, paid=PaidCall(call=call, paid=spent))
    return Row(seq, 1_795_252_000_000 + seq, entry)
