"""The manager's world with its messages on the simulated bus."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from manager_world import World
from timers_left import timers_left

from callboard.bus.board import Change
from callboard.bus.errors import BoardStale, LeaseLost
from callboard.bus.messages import JOURNAL, Envelope, Outcome, outcome_id
from simulation.bus import Grip, MemoryBus


@dataclass(slots=True)
class SimulatedWorld(World):
    """The manager's world with its messages on the simulated bus."""

    bus: MemoryBus = field(default_factory=MemoryBus)
    grip: Grip | None = None
    """Of what is being handled."""
    deliver: Callable[[Envelope], None] = lambda message: None

    def _deliver(self, message: Envelope) -> None:
        if message.recipient == JOURNAL:
            self.journal.append(message)
        else:
            self.deliver(message)

    def commit(self, inbox: str, message: Envelope, outcome: Outcome, sender: str) -> bool:
        """As the script: deduplicate, fence, compare, then write.

        Raises:
            LeaseLost, BoardStale
        """
        assert self.grip is not None
        state = self.bus.check(self.grip, message.id)
        if state == "lost":
            raise LeaseLost(f"{self.grip} is held by another consumer")
        if state == "done":
            return True
        for name, version in [*((change.field, change.expected) for change in outcome.changes), *outcome.guards]:
            if self.guarded and self._version(name) != version:
                raise BoardStale(name)
        self.board = self.board.with_changes(outcome.changes)
        for n, draft in enumerate(outcome.messages):
            self._deliver(self._stamp(draft, outcome_id(message.id, n), sender, message))
        self.timers = timers_left(self.timers, outcome)
        self.bus.settle(self.grip, message.id)
        return True

    def _version(self, name: str) -> int:
        doc = self.board.docs.get(name)
        return doc.version if doc else 0

    def change(self, changes: Sequence[Change]) -> None:
        for change in changes:
            if self._version(change.field) != change.expected:
                raise BoardStale(change.field)
        self.board = self.board.with_changes(changes)
