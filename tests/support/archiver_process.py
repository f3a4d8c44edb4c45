"""An archiver as a process of its own: `archiver_process.py URL RUN FOLDER`; ends well on SIGTERM. It prints how far it is."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from callboard.bus.archive import FileArchive
from callboard.bus.archiver import Archiver
from callboard.bus.bus import Bus


async def main(url: str, run: str, folder: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bus = await Bus.connect(url, run)
    archive = FileArchive(folder)
    archiver = Archiver(bus.store, archive, inboxes=("driver-1",), say=lambda text: print(text, flush=True))
    print("begins", flush=True)
    await archiver.run(stop)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
