"""The only way in to a network of one's own: connections to the ports that a command may be reached on.

The ports are taken in the user's network before the calling process leaves it. Nobody can connect to one before the command
listens on the same port inside, nor after it has ended: whoever tries is refused, as if the command were outside.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from callboard.agents.workspace.confine_relay import accept

BACKLOG = 512
LOOK_EVERY_S = 0.02
_LISTEN = "0A"


class Inlet:
    """Begun in the user's network, before the calling process leaves it for its own.

    Raises:
        OSError: One of the ports is taken.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._listeners = {port: _bound(port) for port in ports}

    def open(self) -> None:
        """Let connections in from now on; the caller is inside already."""
        if os.fork() == 0:
            # nothing of this process may go on in the other one
            with contextlib.suppress(OSError):
                _serve(self._listeners)
            os._exit(0)
        self.close()

    def close(self) -> None:
        """Leave the ports to the command, which has the user's network."""
        for listener in self._listeners.values():
            listener.close()


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def _serve(listeners: dict[int, socket.socket]) -> None:
    """Until somebody ends this process."""
    waiting = dict(listeners)
    while waiting:
        for port in listening() & waiting.keys():
            listener = waiting.pop(port)
            listener.listen(BACKLOG)
            threading.Thread(target=accept, args=(listener, ("127.0.0.1", port)), daemon=True).start()
        time.sleep(LOOK_EVERY_S)
    threading.Event().wait()


def listening() -> set[int]:
    """The ports on which somebody listens in this network."""
    found: set[int] = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            rows = Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]
            found |= {int(row.split()[1].rpartition(":")[2], 16) for row in rows if row.split()[3] == _LISTEN}
    return found
