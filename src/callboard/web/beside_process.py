"""Serves the dashboard of a launch, as a process of its own: what goes wrong here, goes wrong here alone.

Words: numbers of the sockets at which it listens. It ends with its stdin.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from callboard.app import Workspace
from callboard.web.app import create
from callboard.web.server import config, log_to_stderr

NICE = 5
"""The roster's work comes first."""
GRACE_S = 1
LAST_S = 5.0
"""After so long whoever started it is gone for good, and so is it."""


def main(words: Sequence[str]) -> None:
    os.nice(NICE)
    sockets = [socket.socket(fileno=int(word)) for word in words]
    workspace = Workspace.open(Path.cwd(), os.environ)
    log_to_stderr(workspace)
    server = uvicorn.Server(config(create(workspace, keeps_books=False), grace_s=GRACE_S))
    threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    asyncio.run(server.serve(sockets))


def _end_with_stdin(server: uvicorn.Server) -> None:
    sys.stdin.buffer.read()
    server.should_exit = True
    time.sleep(LAST_S)
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
