"""The bus's rules in memory: deduplicate, fence, compare-and-set, take over. Steps of the scheduler are its clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from callboard.bus.messages import Envelope


@dataclass(slots=True)
class Entry:
    """A message in an inbox; a repeated one has several."""

    id: int
    message: Envelope
    ready_at: int
    """The step from which on it can be read."""
    owner: str = ""
    """The consumer that holds it; "" = nobody yet."""
    deliveries: int = 0


@dataclass(frozen=True, slots=True)
class Grip:
    """What a consumer believes to hold."""

    inbox: str
    entry: int
    owner: str
    deliveries: int


@dataclass(slots=True)
class Walls:
    """What can be taken away, to show that it is needed."""

    fence: bool = True
    deduplication: bool = True


@dataclass(slots=True)
class MemoryBus:
    """Inboxes, and which messages were handled."""

    walls: Walls = field(default_factory=Walls)
    inboxes: dict[str, list[Entry]] = field(default_factory=dict)
    handled: set[str] = field(default_factory=set)
    """Ids of messages."""
    settled: set[Grip] = field(default_factory=set)
    count: int = 0

    def put(self, message: Envelope, ready_at: int) -> None:
        self.count += 1
        self.inboxes.setdefault(message.recipient, []).append(Entry(self.count, message, ready_at))

    def take(self, entry: Entry, owner: str) -> Grip:
        entry.owner, entry.deliveries = owner, entry.deliveries + 1
        return Grip(entry.message.recipient, entry.id, owner, entry.deliveries)

    def check(self, grip: Grip, message: str) -> str:
        """`done`: it went through before; `lost`: somebody else has it; `ok`: it can be written."""
        if grip in self.settled:
            return "done"
        if self.walls.fence and not self._holds(grip):
            return "lost"
        if self.walls.deduplication and message in self.handled:
            self._forget(grip)
            return "done"
        return "ok"

    def settle(self, grip: Grip, message: str) -> None:
        self.handled.add(message)
        self.settled.add(grip)
        self._forget(grip)

    def _holds(self, grip: Grip) -> bool:
        return any(
            (entry.id, entry.owner, entry.deliveries) == (grip.entry, grip.owner, grip.deliveries)
            for entry in self.inboxes[grip.inbox]
        )

    def _forget(self, grip: Grip) -> None:
        self.inboxes[grip.inbox] = [entry for entry in self.inboxes[grip.inbox] if entry.id != grip.entry]
