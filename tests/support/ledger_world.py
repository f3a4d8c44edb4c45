"""What a ledger holds, and what it has to hold: the sum of a journal, added up in one go by other code than the archiver's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

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
BY_NAME = {table.name: kind for kind, table in FOLDED.items()}


def held(database: Database, run: str) -> dict[str, Table]:
    """Every row of a run, by table."""
    tables = {**{table.name: table for table in FOLDED.values()}, "journal": JOURNAL, "archived": ARCHIVED}
    found: dict[str, Table] = {}
    with database.reading() as connection:
        for name, table in tables.items():
            rows = connection.execute(select(table).where(table.c.run == run)).mappings()
            keys = [column.name for column in table.primary_key]
            found[name] = {tuple(row[key] for key in keys): dict(row) for row in rows}
    return found


def due(run: str, project: str, rows: Iterable[Row]) -> dict[str, Table]:
    """The same as it follows from the journal; of calls and documents only what the sum at the end still says."""
    state, hash = RunState(), FIRST_HASH
    journal: Table = {}
    for row in rows:
        state.apply(row)
        hash = next_hash(hash, row)
        journal[run, row.seq] = {"run": run, "seq": row.seq, "at": row.at, "hash": hash, "entry": row.entry}
    found: dict[str, Table] = {table.name: {} for table in FOLDED.values()}
    found["journal"] = journal
    found["archived"] = {(run,): {"run": run, "project": project, "seq": state.seq, "at": state.at, "hash": hash}}
    for record in _records(run, project, state):
        table = FOLDED[type(record)]
        row_ = asdict(record)
        found[table.name][tuple(row_[column.name] for column in table.primary_key)] = row_
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


def calls_due(rows: Iterable[Row]) -> tuple[set[str], dict[str, int]]:
    """The calls that are open, and what the others have cost in tokens."""
    opened, paid = set[str](), dict[str, int]()
    for row in rows:
        entry = json.loads(row.entry)
        if entry["step"] == "reserve":
            opened.add(entry["call"]["id"])
        if entry["step"] == "settle":
            id, spent = entry["paid"]["call"]["id"], entry["paid"]["paid"]
            opened.discard(id)
            paid[id] = spent["input_tokens"] + spent["output_tokens"]
    return opened, paid


def documents_due(rows: Iterable[Row]) -> dict[str, str]:
    """Message -> why it was refused, "" = it was not; of every verdict."""
    found: dict[str, str] = {}
    for row in rows:
        for message in json.loads(row.entry)["messages"]:
            if message["kind"] == "verdict.given":
                found[message["id"]] = ""
            if message["kind"] == "message.refused":
                found[message["body"]["refused"]] = message["body"]["reason"].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return found


def assert_is_the_fold(database: Database, run: str, project: str, rows: list[Row]) -> None:
    """The ledger has of a run just what follows from these entries.

    Without snapshots among them: those say nothing of calls that were settled, and documents.
    """
    found, wanted = held(database, run), due(run, project, rows)
    for name in wanted:
        if BY_NAME.get(name) not in (CallRecord, DocumentRecord):
            assert found[name] == wanted[name], name
    opened, paid = calls_due(rows)
    calls = found["calls"].values()
    assert {str(call["id"]) for call in calls if call["state"] == "open"} == opened
    tokens = {
        str(call["id"]): (call["input_tokens"], call["output_tokens"]) for call in calls if call["state"] == "settled"
    }
    assert {id: int(str(a)) + int(str(b)) for id, (a, b) in tokens.items()} == paid
    assert {str(one["message"]): one["refused"] for one in found["documents"].values()} == documents_due(rows)


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
