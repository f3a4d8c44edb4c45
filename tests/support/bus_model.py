"""What the bus's scripts must do, in plain Python: the reference for tests/integration/bus/test_model.py."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MOST = 5
RELEASED = "released"


@dataclass
class ModelEntry:
    """One message in an inbox."""

    message: str
    owner: str = ""
    """The consumer it is pending for; "" = not delivered yet."""
    count: int = 0
    former: int = 0
    """Deliveries in former lives."""
    raised: int = 0
    died: int = 0
    mark: Literal["", "emitted", "waits"] = ""

    @property
    def failures(self) -> int:
        return self.raised + self.died


@dataclass(frozen=True)
class Held:
    """What a consumer believes it holds."""

    inbox: str
    message: str
    owner: str
    count: int
    life: int


@dataclass
class Model:
    inboxes: dict[str, list[ModelEntry]] = field(default_factory=dict)
    board: dict[str, int] = field(default_factory=dict)
    """Field -> version."""
    done: set[str] = field(default_factory=set)
    dead: dict[str, tuple[str, ModelEntry]] = field(default_factory=dict)
    """Message -> its inbox and entry."""
    steps: list[str] = field(default_factory=list)
    """One word per journal entry."""
    timers: list[tuple[str, str]] = field(default_factory=list)
    """(inbox, message), all due."""
    lives: dict[str, int] = field(default_factory=dict)

    def put(self, inbox: str, message: str, former: int = 0) -> None:
        self.inboxes.setdefault(inbox, []).append(ModelEntry(message, former=former))

    def entry(self, held: Held) -> ModelEntry | None:
        """The entry behind the fence: pending for this consumer at this delivery, in this life of the message."""
        if self.lives.get(held.message, 0) != held.life:
            return None
        for entry in self.inboxes.get(held.inbox, []):
            if (entry.message, entry.owner, entry.count) == (held.message, held.owner, held.count):
                return entry
        return None

    def hold(self, inbox: str, entry: ModelEntry) -> Held:
        return Held(inbox, entry.message, entry.owner, entry.count, self.lives.get(entry.message, 0))

    def send(self, inbox: str, message: str) -> None:
        if message in self.done:
            return
        self.done.add(message)
        self.put(inbox, message)
        self.steps.append("send")

    def receive(self, inbox: str, consumer: str, limit: int) -> list[Held]:
        fresh = [entry for entry in self.inboxes.get(inbox, []) if not entry.owner][:limit]
        for entry in fresh:
            entry.owner, entry.count = consumer, 1
        return [self.hold(inbox, entry) for entry in fresh]

    def commit(
        self,
        held: Held,
        sent: list[tuple[str, str]],
        changes: dict[str, int],
        guards: dict[str, int],
        timers: list[tuple[str, str]],
    ) -> str:
        """`changes` and `guards`: field -> the version expected. Returns ok, done, lost or stale."""
        mark = f"commit {held}"
        if mark in self.done:
            return "done"
        entry = self.entry(held)
        if entry is None:
            return "lost"
        if any(self.board.get(name, 0) != version for name, version in [*changes.items(), *guards.items()]):
            return "stale"
        for inbox, message in sent:
            self.put(inbox, message)
        for name, version in changes.items():
            self.board[name] = version + 1
        self.timers += timers
        self.done.add(mark)
        self.steps.append("commit")
        self.inboxes[held.inbox].remove(entry)
        return "ok"

    def emit(self, held: Held, inbox: str, message: str) -> str:
        if message in self.done:
            return "done"
        entry = self.entry(held)
        if entry is None:
            return "lost"
        self.done.add(message)
        self.put(inbox, message)
        self.steps.append("emit")
        entry.died, entry.mark = 0, "emitted"
        return "ok"

    def begin(self, held: Held) -> str:
        entry = self.entry(held)
        if entry is None:
            return "lost"
        if entry.mark == "waits":
            entry.mark = ""
        return "ok"

    def fail(self, held: Held) -> str:
        entry = self.entry(held)
        if entry is None:
            return "lost"
        entry.raised += entry.failures < MOST
        if entry.failures >= MOST:
            self._bury(held.inbox, entry)
        else:
            entry.owner, entry.mark = RELEASED, ""
        return "ok"

    def release(self, held: Held) -> str:
        entry = self.entry(held)
        if entry is None:
            return "lost"
        entry.owner, entry.mark, entry.raised, entry.died = RELEASED, "", 0, 0
        return "ok"

    def reject(self, held: Held) -> str:
        entry = self.entry(held)
        if entry is None:
            return "lost"
        self._bury(held.inbox, entry)
        return "ok"

    def take_over(self, inbox: str, consumer: str, known: set[Held], *, expired: bool, host: str) -> list[Held]:
        """`known`: what this consumer's process knows that it holds. Returns what it holds more after this."""
        own = {held.message for held in known if held.life == self.lives.get(held.message, 0)}
        taken = []
        for entry in list(self.inboxes.get(inbox, [])):
            if not entry.owner or not self._is_free(entry, consumer, own, expired=expired, host=host):
                continue
            if entry.owner not in (RELEASED, consumer) and not entry.mark and entry.failures < MOST:
                entry.died += 1
            entry.owner, entry.count = consumer, entry.count + 1
            entry.mark = "waits" if entry.died else ""
            if entry.failures >= MOST:
                self._bury(inbox, entry)
            else:
                taken.append(self.hold(inbox, entry))
        return taken

    @staticmethod
    def _is_free(entry: ModelEntry, consumer: str, known: set[str], *, expired: bool, host: str) -> bool:
        if entry.owner == RELEASED:
            return True
        if entry.owner == consumer:
            return entry.message not in known
        return expired or (host != "" and entry.owner.split(".")[1] == host)

    def renew(self, held: Held) -> bool:
        return self.entry(held) is not None

    def fire_timers(self) -> int:
        fired, self.timers = self.timers, []
        for inbox, message in fired:
            self.put(inbox, message)
            self.steps.append("timer")
        return len(fired)

    def retry_dead(self, message: str) -> None:
        inbox, entry = self.dead.pop(message)
        self.lives[message] = self.lives.get(message, 0) + 1
        self.put(inbox, message, entry.former + entry.count)
        self.steps.append("retry")

    def drop_dead(self, message: str) -> None:
        del self.dead[message]
        self.steps.append("drop")

    def _bury(self, inbox: str, entry: ModelEntry) -> None:
        self.inboxes[inbox].remove(entry)
        self.dead[entry.message] = (inbox, entry)
        self.steps.append("bury")
