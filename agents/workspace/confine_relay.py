"""The only way out of a network of one's own: connections to the addresses that are allowed, and to no other.

A process that stays in the user's network accepts what is connected to inside and passes the bytes on. Names are looked
up there, at each connection, so nothing has to be looked up before a command begins.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import struct
import sys
import threading
from collections.abc import Sequence

CHUNK = 64 * 1024
CONNECT_S = 30.0
SIOCSIFADDR = 0x8916
_STAND_IN = "127.66.{}.{}"
"""Where a name leads inside; all of 127/8 is loopback."""


def split(place: str) -> tuple[str, int]:
    """`host:port` as its parts."""
    host, _, port = place.rpartition(":")
    return host, int(port)


def stand_ins(places: Sequence[str]) -> dict[str, str]:
    """Name or address -> the address that stands for it inside; an address stands for itself."""
    hosts = dict.fromkeys(split(place)[0] for place in places)
    inside: dict[str, str] = {}
    for number, host in enumerate(hosts, 1):
        stand_in = _STAND_IN.format(number // 250, number % 250 + 1)
        inside[host] = host if is_address(host) else "127.0.0.1" if host == "localhost" else stand_in
    return inside


def hosts_file(places: Sequence[str], original: str) -> str:
    """`/etc/hosts` as it is inside; the first line that has a name counts."""
    ours = (f"{address} {host}\n" for host, address in stand_ins(places).items() if address.startswith("127.66."))
    return "".join([*ours, original])


def is_address(host: str) -> bool:
    """Whether it is an IPv4 address, and no name."""
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return False
    return True


def claim(address: str, number: int) -> None:
    """Have an address of somebody else lead to ourselves, in a network of our own."""
    request = struct.pack("16sHH4s8x", f"lo:{number}".encode(), socket.AF_INET, 0, socket.inet_aton(address))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        fcntl.ioctl(probe, SIOCSIFADDR, request)


class Relay:
    """Begun in the user's network, before the calling process leaves it for its own."""

    def __init__(self, places: Sequence[str]) -> None:
        self._places = places
        self._ours, theirs = socket.socketpair()
        if os.fork() == 0:
            # nothing of this process may go on in the other one
            with contextlib.suppress(OSError):
                self._ours.close()
                _serve(theirs, places)
            os._exit(0)
        theirs.close()

    def listen(self) -> None:
        """Accept inside, from now on; the caller is there already."""
        inside = stand_ins(self._places)
        for number, address in enumerate(inside.values()):
            if not address.startswith("127."):
                claim(address, number)
        for place in self._places:
            host, port = split(place)
            with socket.socket() as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((inside[host], port))
                listener.listen(64)
                socket.send_fds(self._ours, [b"."], [listener.fileno()])
        # open until this process ends, and the relay with it
        self._ours.detach()


def _serve(source: socket.socket, places: Sequence[str]) -> None:
    """Take one listening socket for each place, and pass on what comes, until the other end is gone."""
    for place in places:
        _, fds, _, _ = socket.recv_fds(source, 1, 1)
        if not fds:
            return
        listener = socket.socket(fileno=fds[0])
        threading.Thread(target=accept, args=(listener, split(place)), daemon=True).start()
    source.recv(1)


def accept(listener: socket.socket, place: tuple[str, int]) -> None:
    """Pass on what comes there, to a place in the network we are in; for ever."""
    while True:
        inner, _ = listener.accept()
        threading.Thread(target=_connect, args=(inner, place), daemon=True).start()


def _connect(inner: socket.socket, place: tuple[str, int]) -> None:
    try:
        outer = socket.create_connection(place, timeout=CONNECT_S)
    except OSError as error:
        sys.stderr.write(f"callboard: {place[0]}:{place[1]} cannot be reached: {error}\n")
        # a reset, so that the client does not take it for an empty answer
        inner.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        inner.close()
        return
    outer.settimeout(None)
    back = threading.Thread(target=_pump, args=(outer, inner), daemon=True)
    back.start()
    _pump(inner, outer)
    back.join()
    inner.close()
    outer.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Bytes in one direction, to their end."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(CHUNK):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
