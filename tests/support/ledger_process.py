"""A ledger's archiver as a process of its own: `ledger_process.py URL FOLDER`; ends well on SIGTERM. It prints what it says."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from threading import Event

from callboard.bus.errors import LedgerError
from callboard.ledger.archiver import LedgerArchiver
from callboard.ledger.database import connect


def main(url: str, folder: Path) -> None:
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    archiver = LedgerArchiver(folder, connect(url), "shop", lambda text: print(text, flush=True))
    print("begins", flush=True)
    while True:
        is_last = stop.is_set()
        try:
            archiver.run(stop, every_s=0.01)
            return
        except LedgerError as error:
            print(error, flush=True)
            if is_last:
                raise
            stop.wait(0.05)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
