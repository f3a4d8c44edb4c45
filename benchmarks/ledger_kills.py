"""An archiver that is killed with -9 at places drawn with a seed, over a million journal rows, on SQLite and on Postgres.

The archive grows meanwhile. In the end every table must be what a fold of the journal says, made by other code in one go from
rows that are drawn anew, and `callboard audit verify` must find nothing. Exits 1, with what differs, when it is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import tempfile
from dataclasses import asdict
from pathlib import Path

from killed_archiver import KilledArchiver
from postgres import PostgresServer


def killed(root: Path, url: str, given: argparse.Namespace) -> dict[str, object]:
    found = KilledArchiver(root / "archive", url, given.seed, given.rows, given.kills, tasks=200).run()
    return asdict(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--only", choices=("sqlite", "postgres"))
    given = parser.parse_args()
    said: dict[str, object] = {"seed": given.seed, "rows": given.rows}
    print(f"seed {given.seed}", flush=True)
    for name in ("sqlite", "postgres"):
        if given.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory(prefix="cb-") as root, tempfile.TemporaryDirectory(prefix="cb-pg-") as place:
            if name == "sqlite":
                said[name] = killed(Path(root), f"sqlite:///{Path(root) / 'ledger.db'}", given)
                continue
            server = PostgresServer(Path(place))
            try:
                said[name] = killed(Path(root), server.fresh(), given)
            finally:
                server.stop()
    print(json.dumps({**said, "load": os.getloadavg()[0]}, indent=2))


if __name__ == "__main__":
    main()
