"""Places on this machine to listen at."""

from __future__ import annotations

import errno
import socket
from itertools import repeat

LOCALHOST = "localhost"
BACKLOG = 128
_TRIES = 20
_NOT_HERE = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address; port 0 = any that is free.

    Raises:
        OSError: Nobody can.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except OSError:
        listening.close()
        raise
    return listening


def listen_on_localhost(port: int) -> tuple[socket.socket, ...]:
    """Listen at one port of `localhost`, or where that is taken, at any that is free.

    At 127.0.0.1 and, where there is one, at ::1: a browser may try either, and nobody else is to answer it there.

    Raises:
        OSError: Nobody can.
    """
    refused = OSError("no port is free")
    for wanted in (port, *repeat(0, _TRIES)):
        try:
            return _both(wanted)
        except OSError as error:
            refused = error
    raise refused


def _both(port: int) -> tuple[socket.socket, ...]:
    first = listen("127.0.0.1", port)
    try:
        return first, listen("::1", first.getsockname()[1])
    except OSError as error:
        if error.errno in _NOT_HERE:
            return (first,)
        first.close()
        raise
