"""One look at a release: does it answer on its health path?"""

from __future__ import annotations

import re
import socket
import time
from urllib.parse import urlsplit

from callboard.agents.deployment.target import Health

_SAID = 200
_READ = 8192
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,18})", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)\b")


def look(address: str, path: str, timeout_s: float) -> Health:
    """Ask once; healthy is a 200 and nothing else. No redirection is followed.

    Args:
        address: `http://host:port`; "" = it does not run.
        timeout_s: For all of it: a server that answers a byte at a time gets no more.
    """
    if not address:
        return Health(ok=False, status=0, latency_s=0.0, said="it does not run")
    began = time.monotonic()
    place = urlsplit(address)
    try:
        answer = _ask(place.hostname or "", place.port or 80, path, began + timeout_s)
    except OSError as error:
        return Health(ok=False, status=0, latency_s=time.monotonic() - began, said=_plain(str(error)))
    found = _STATUS.match(answer)
    status = int(found[1]) if found else 0
    said = answer.partition(b"\r\n\r\n")[2] if found else b"no answer of HTTP: " + answer
    return Health(
        ok=status == 200,
        status=status,
        latency_s=time.monotonic() - began,
        said=_plain(said.decode("utf-8", "replace")),
    )


def _ask(host: str, port: int, path: str, until: float) -> bytes:
    """The beginning of what it answers, whether it hangs up afterwards or not."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\nUser-Agent: callboard\r\n\r\n"
    answer = b""
    with socket.create_connection((host, port), timeout=_left(until)) as connection:
        connection.sendall(request.encode())
        while len(answer) < _READ and not _is_whole(answer):
            connection.settimeout(_left(until))
            chunk = connection.recv(_READ)
            if not chunk:
                break
            answer += chunk
    return answer


def _is_whole(answer: bytes) -> bool:
    head, separator, body = answer.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(separator) and length is not None and len(body) >= int(length[1])


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("no whole answer in time")
    return left


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:_SAID]).strip()
