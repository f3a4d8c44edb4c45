"""How fast the ledger's archiver is, on SQLite and on Postgres, and how long reports take over a thousand runs.

A journal of `--entries` entries is drawn with a seed and archived once. Then, for each database in turn and `--rounds` times:
the archiver takes all of it into an empty ledger, and a bare loop inserts the same journal rows, as many at once, with the
driver alone and nothing that follows from them. What counts is the ratio within one round; rates are per second of wall time, and
CPU time is this process's: on a busy machine it says more.
At the end the first ledger is held against its journal (`callboard audit verify`), every row of it.

Reports: a ledger of `--runs` runs of 60 entries each; each report is asked `--asks` times.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

import psycopg
from crafted_journal import CraftedJournal
from postgres import PostgresServer

from callboard.bus.archive import FileArchive, in_batches
from callboard.ledger import reports, store
from callboard.ledger.archiver import BATCH, LedgerArchiver
from callboard.ledger.audit import verify
from callboard.ledger.database import Database, connect
from callboard.ledger.store import Head

RUN = "20261121-091407"
INSERT = "INSERT INTO journal (run, seq, at, hash, entry) VALUES ({})"
TABLE = "CREATE TABLE journal (run TEXT, seq BIGINT, at BIGINT, hash TEXT, entry TEXT, PRIMARY KEY (run, seq))"
Where = Callable[[], str]
"""A new, empty database's URL."""


def archived(folder: Path, entries: int, seed: int) -> FileArchive:
    archive = FileArchive(folder / RUN)
    for rows in in_batches(CraftedJournal(RUN, seed, tasks=200).rows(entries), 5_000):
        archive.append(rows)
    return archive


def archiver_s(folder: Path, url: str) -> tuple[float, float]:
    """Wall time, and CPU time of this process alone."""
    database = connect(url)
    archiver = LedgerArchiver(folder, database, "bench", print)
    began, cpu = time.perf_counter(), time.process_time()
    while archiver.step():
        pass
    taken = time.perf_counter() - began, time.process_time() - cpu
    database.close()
    return taken


def bare_s(archive: FileArchive, url: str) -> tuple[float, float]:
    """The same; the rows are read and hashed while the clock stands."""
    taken, used, head = 0.0, 0.0, Head(RUN, "bench")
    with bare(url) as insert:
        rows = archive.rows()
        while batch := list(islice(rows, BATCH)):
            made = store.chained(head, batch)
            head = Head(RUN, "bench", batch[-1].seq, batch[-1].at, str(made[-1]["hash"]))
            values = [tuple(row.values()) for row in made]
            began, cpu = time.perf_counter(), time.process_time()
            insert(values)
            taken += time.perf_counter() - began
            used += time.process_time() - cpu
    return taken, used


@contextmanager
def bare(url: str) -> Iterator[Callable[[list[tuple[object, ...]]], None]]:
    """A transaction for each batch, with the driver alone."""
    if url.startswith("sqlite"):
        local = sqlite3.connect(url.removeprefix("sqlite:///"))
        local.execute("PRAGMA journal_mode=WAL")
        local.execute("PRAGMA synchronous=NORMAL")
        local.execute(TABLE)

        def insert(values: list[tuple[object, ...]]) -> None:
            with local:
                local.executemany(INSERT.format("?, ?, ?, ?, ?"), values)

        yield insert
        local.close()
        return
    with psycopg.connect(url, autocommit=True) as remote:
        remote.execute(TABLE)

        def insert_there(values: list[tuple[object, ...]]) -> None:
            with remote.transaction(), remote.cursor() as cursor:
                cursor.executemany(INSERT.format("%s, %s, %s, %s, %s"), values)

        yield insert_there


def rates(folder: Path, archive: FileArchive, entries: int, rounds: int, fresh: Where) -> dict[str, object]:
    found = [(archiver_s(folder, fresh()), bare_s(archive, fresh())) for _ in range(rounds)]
    return {
        "archiver_per_s": _spread([entries / ours for (ours, _), _ in found]),
        "bare_inserts_per_s": _spread([entries / bare for _, (bare, _) in found]),
        "ratio": _spread([bare / ours for (ours, _), (bare, _) in found], 3),
        "archiver_cpu_us_per_entry": _spread([cpu / entries * 1e6 for (_, cpu), _ in found], 1),
        "bare_cpu_us_per_entry": _spread([cpu / entries * 1e6 for _, (_, cpu) in found], 1),
    }


def report_ms(folder: Path, runs: int, asks: int, url: str) -> dict[str, object]:
    database = connect(url)
    archiver = LedgerArchiver(folder, database, "bench", print)
    while archiver.step():
        pass
    newest = reports.runs(database, limit=1)[0].run
    asked: dict[str, Callable[[Database], object]] = {
        f"runs, all {runs}": partial(reports.runs, limit=runs),
        "runs by state, 50": partial(reports.runs, state="running", limit=50),
        "tiers of a name, over all runs": partial(reports.tiers, name="api", limit=runs),
        "backlog": reports.backlog,
        f"budget over {runs}": partial(reports.budget, limit=runs),
        "summary of one": partial(reports.summary, name=newest),
    }
    found = {what: _spread([_ms(partial(ask, database)) for _ in range(asks)], 1) for what, ask in asked.items()}
    database.close()
    return dict(found)


def _ms(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def _spread(values: list[float], digits: int = 0) -> dict[str, float]:
    named = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return {name: round(value, digits) for name, value in named.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--asks", type=int, default=10)
    parser.add_argument("--seed", type=int, default=20261121)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cb-") as name, tempfile.TemporaryDirectory(prefix="cb-pg-") as place:
        root, server = Path(name), PostgresServer(Path(place))
        numbers = iter(range(1_000_000))
        ledgers: dict[str, Where] = {
            "sqlite": lambda: f"sqlite:///{root / f'{next(numbers)}.db'}",
            "postgres": server.fresh,
        }
        try:
            print(json.dumps(measured(root, ledgers, given), indent=2))
        finally:
            server.stop()


def measured(root: Path, ledgers: dict[str, Where], given: argparse.Namespace) -> dict[str, object]:
    one, many = root / "one", root / "many"
    archive = archived(one, given.entries, given.seed)
    said: dict[str, object] = {
        "seed": given.seed,
        "entries": given.entries,
        "archive_bytes": archive.path.stat().st_size,
    }
    said |= {name: rates(one, archive, given.entries, given.rounds, fresh) for name, fresh in ledgers.items()}
    checked = connect(ledgers["sqlite"]())
    archiver = LedgerArchiver(one, checked, "bench", print)
    while archiver.step():
        pass
    found = verify(checked, RUN, archive)
    said["verified"] = {"entries": found.entries, "rows": found.rows, "fault": str(found.fault or "")}
    for n in range(given.runs):
        run = f"run-{n:05}"
        FileArchive(many / run).append(list(CraftedJournal(run, given.seed + n).rows(60)))
    said["report_ms"] = {name: report_ms(many, given.runs, given.asks, fresh()) for name, fresh in ledgers.items()}
    said["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return said


if __name__ == "__main__":
    main()
