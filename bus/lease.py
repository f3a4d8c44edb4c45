"""Keeps leases while handlers work: a thread with a connection of its own, so that a blocked event loop loses none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from loguru import logger
from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from callboard.bus.address import read_address
from callboard.bus.delivery import Entry
from callboard.bus.keys import Keys
from callboard.bus.parcel import Arg, flat
from callboard.bus.script import Script, load

LEASE_S = 15.0
"""How long an entry stays with a consumer that does not renew it."""
RENEW_S = 5.0
"""How often it is renewed."""
TIMEOUT_S = 3.0
"""For one renewal: two may fail within a lease."""


@dataclass(slots=True)
class Held:
    """An entry that is renewed until it is let go."""

    entry: Entry
    until: float
    """On the monotonic clock: not renewed after this, so that a hung handler cannot keep it for ever. Written by the event
    loop's thread, read by the keeper's."""

    def keep(self, for_s: float) -> None:
        """Renew it for so long from now on."""
        self.until = time.monotonic() + for_s


class LeaseKeeper:
    """Renews what it was told to hold, until it is told to let go.

    Args:
        place: The URL of where the run is; another one as soon as it is elsewhere.
        on_lost: Called in the keeper's thread with an entry that this consumer does not hold any more.
    """

    def __init__(
        self,
        place: Callable[[], str],
        keys: Keys,
        *,
        on_lost: Callable[[Entry], None],
        renew_s: float = RENEW_S,
        scripts: Callable[[str], Script] = load,
    ) -> None:
        self._keys = keys
        self._renew_s = renew_s
        self._renewal = scripts("renew")
        self._on_lost = on_lost
        self._place = place
        self._url = place()
        self._client = _client(self._url)
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()
        """Protects `_held`: the event loop's thread changes it, the keeper's reads it."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End the thread; blocks for at most two of its time limits."""
        self._stop.set()
        self._thread.join(timeout=2 * TIMEOUT_S)
        self._client.close()

    def hold(self, entry: Entry, *, for_s: float = float("inf")) -> Held:
        """Renew it from now on, for at most `for_s`."""
        held = Held(entry, time.monotonic() + for_s)
        with self._lock:
            self._held[entry.field] = held
        return held

    def let_go(self, entry: Entry) -> None:
        with self._lock:
            held = self._held.get(entry.field)
            # a later delivery of the entry may be held by now, and counts anew where its group was lost
            if held is not None and held.entry is entry:
                del self._held[entry.field]

    def _run(self) -> None:
        failed = False
        while not self._stop.wait(self._renew_s):
            try:
                self.renew()
            except (exceptions.RedisError, OSError) as error:
                if not failed:
                    logger.warning("leases could not be renewed, trying again", error=str(error))
                failed = True
            else:
                failed = False

    def renew(self) -> None:
        """Renew everything once, and report what is lost."""
        self._follow()
        now = time.monotonic()
        with self._lock:
            due = [held.entry for held in self._held.values() if held.until > now]
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in due:
            groups.setdefault((entry.inbox, entry.consumer), []).append(entry)
        for (inbox, consumer), entries in groups.items():
            args: list[Arg] = [consumer, *flat([(entry.id, entry.count) for entry in entries])]
            answers = self._script(self._keys.inbox(inbox), args)
            for entry, answer in zip(entries, answers, strict=True):
                if not answer:
                    self.let_go(entry)
                    self._on_lost(entry)

    def _follow(self) -> None:
        if (url := self._place()) != self._url:
            self._client.close()
            self._url, self._client = url, _client(url)

    def _script(self, key: str, args: list[Arg]) -> list[int]:
        run = cast(Callable[..., list[int]], self._client.execute_command)
        try:
            return run("EVALSHA", self._renewal.sha, 1, key, *args)
        except exceptions.NoScriptError:
            return run("EVAL", self._renewal.text, 1, key, *args)


def _client(url: str) -> Redis:
    return Redis.from_url(
        read_address(url).url,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
    )
