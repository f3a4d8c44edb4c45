"""A client that reads a run's server-sent events."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from itertools import islice

from served import Served


class Stream:
    """A connection that reads events."""

    def __init__(self, served: Served, run: str, token: str, *, last: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=110)
        headers = {"Authorization": f"Bearer {token}", **({"Last-Event-ID": last} if last else {})}
        self.connection.request("GET", f"/runs/{run}/events", headers=headers)
        self.answer = self.connection.getresponse()

    def events(self) -> Iterator[dict[str, str]]:
        found: dict[str, str] = {}
        for raw in self.answer:
            line = raw.decode().rstrip("\n")
            if not line and "id" in found:
                yield found
            if not line:
                found = {}
            name, _, value = line.partition(":")
            found[name] = value.strip()

    def take(self, count: int) -> list[dict[str, str]]:
        return list(islice(self.events(), count))

    def close(self) -> None:
        self.connection.close()
