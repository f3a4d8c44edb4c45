"""Notifications that are not delivered yet, kept in a file: what was sent is forgotten only then, so a crash sends it again
and never loses it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from callboard.bus.whole_files import write_whole
from callboard.launch.notifications import Notification, Told

MOST = 200
"""Notifications that wait for one service; of more the oldest are only counted."""
IN_ONE = 15
"""Notifications that one message spells out."""
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 900.0


@dataclass(slots=True)
class Waiting:
    """What one service has not been told yet."""

    notifications: list[Notification] = field(default_factory=list)
    left_out: int = 0
    """How many older ones there were besides."""

    def add(self, fresh: Iterable[Notification]) -> None:
        """One that is there already is not added twice."""
        known = {one.key for one in self.notifications}
        self.notifications += [one for one in fresh if one.key not in known]
        over = len(self.notifications) - MOST
        if over > 0:
            del self.notifications[:over]
            self.left_out += over

    def delivered(self, sent: Sequence[Notification]) -> None:
        keys = {one.key for one in sent}
        self.notifications = [one for one in self.notifications if one.key not in keys]
        self.left_out = 0


@dataclass(slots=True)
class Outbox:
    """One run's; the services go by a hash of their name in callboard.toml."""

    told: Told = field(default_factory=Told)
    waiting: dict[str, Waiting] = field(default_factory=dict)

    def take(self, services: Iterable[str], fresh: Sequence[Notification]) -> None:
        for service in services:
            self.waiting.setdefault(service, Waiting()).add(fresh)

    def keep_only(self, services: Iterable[str]) -> None:
        """Forget what waits for services that callboard.toml has no more."""
        self.waiting = {name: self.waiting[name] for name in services if name in self.waiting}

    def save(self, path: Path) -> None:
        """On disk before anything is sent of it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Outbox | None:
        """None where there is none, or none that can be read."""
        try:
            found = json.loads(path.read_bytes())
            told = found["told"]
            waiting = {
                str(name): Waiting([Notification(**one) for one in each["notifications"]], int(each["left_out"]))
                for name, each in found["waiting"].items()
            }
            return cls(Told(int(told["seq"]), str(told["run"]), tuple(map(str, told["caps"]))), waiting)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None


@dataclass(slots=True)
class Patience:
    """When one service is tried next: messages come at most so often, and a dead one is tried ever more seldom."""

    every_s: float
    _next_at: float = 0.0
    _failures: int = 0

    def is_due(self, now: float) -> bool:
        return now >= self._next_at

    def went(self, now: float) -> None:
        self._failures, self._next_at = 0, now + self.every_s

    def failed(self, now: float) -> bool:
        """Whether this was the first failure in a row."""
        wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**self._failures)
        self._failures, self._next_at = min(self._failures + 1, 20), now + wait
        return self._failures == 1


def service_key(said: str) -> str:
    """callboard.toml may hold a token in a URL, and this is written down elsewhere."""
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def letter(where: str, waiting: Waiting) -> tuple[str, str]:
    """Title and text of one message with all that waits.

    Args:
        where: The repository's folder.
    """
    notes, left_out = waiting.notifications, waiting.left_out
    if len(notes) == 1 and not left_out:
        return f"[{where}] {notes[0].title}", notes[0].text or notes[0].title
    newest = notes[-IN_ONE:]
    more = len(notes) - len(newest) + left_out
    lines = [f"* {one.title}\n{one.text}".rstrip() for one in newest]
    earlier = [f"and {more} earlier: `callboard status`, `callboard questions`"] if more else []
    return f"[{where}] {len(notes) + left_out} things happened", "\n".join([*lines, *earlier])
