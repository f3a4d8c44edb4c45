"""A hypothesis state machine: the scripts against the model of bus_model.py, with several processes, killed at any step."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

import hypothesis.strategies as st
import redis
from bus_model import Held, Model
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from servers import Server

from callboard.bus.board import AgentDoc, Change
from callboard.bus.bus import Bus
from callboard.bus.delivery import Delivery, id_of
from callboard.bus.errors import BoardStale, LeaseLost
from callboard.bus.inbox import Inbox
from callboard.bus.lease import LeaseKeeper
from callboard.bus.messages import Draft, Outcome, TaskCancelled, TaskProgressed, Timer, emitted_id, outcome_id

INBOXES = ("a", "b")
HOSTS = ("here", "there")
FIELDS = ("agent:x", "agent:y")
LIVE_S, EXPIRED_S = 1_000.0, 0.0
"""Lease times that have never, and always, passed."""

inboxes = st.sampled_from(INBOXES)
slots = st.sampled_from([f"{inbox}/{host}" for inbox in INBOXES for host in HOSTS] + ["a/here/2"])
"""A slot runs one process after the other; `a/here/2` is a second one on the same host."""


@dataclass
class Process:
    """One incarnation: its inbox, and the deliveries it knows that it holds."""

    inbox: Inbox
    known: set[Held] = field(default_factory=set)


@dataclass(frozen=True)
class Grip:
    """A delivery in a handler's hands, and what the model says it holds. Its process may have died since."""

    delivery: Delivery
    held: Held
    process: Process


@dataclass(frozen=True)
class Committed:
    grip: Grip
    outcome: Outcome


class BusMachine(RuleBasedStateMachine):
    """On one server for all examples, each in a run of its own."""

    server: ClassVar[Server]
    grips = Bundle[Grip]("grips")
    committed = Bundle[Committed]("committed")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.bus = self.runner.run(Bus.connect(self.server.url, f"model-{uuid.uuid4().hex}"))
        self.model = Model()
        self.processes: dict[str, Process] = {}
        self.incarnations = 0
        self.emissions: dict[Held, int] = {}
        self.names: dict[str, str] = {}
        """Message id -> the name the model knows it by."""

    def teardown(self) -> None:
        self.runner.run(self.bus.close())
        self.runner.close()

    # --- processes -------------------------------------------------------------------------------

    def process(self, slot: str) -> Process:
        if slot not in self.processes:
            self.incarnations += 1
            inbox, host = slot.split("/")[:2]
            consumer = f"{inbox}.{host}.{self.incarnations}"
            self.processes[slot] = Process(self.bus.inbox(inbox, consumer))
        return self.processes[slot]

    @rule(slot=slots)
    def process_dies(self, slot: str) -> None:
        """Its grips stay in the bundle: they are zombies now."""
        self.processes.pop(slot, None)

    # --- what the bus does -----------------------------------------------------------------------

    @initialize(target=grips)
    def there_is_work(self) -> MultipleResults[Grip]:
        """Without it most examples would be over before anything was held."""
        for inbox in INBOXES:
            for key in range(4):
                self.send(inbox, key)
        return multiple(*self.received("a/here", 3), *self.received("b/here", 1))

    @rule(inbox=inboxes, key=st.integers(0, 30))
    def send(self, inbox: str, key: int) -> None:
        draft = Draft(inbox, TaskCancelled(reason=""))
        envelope = self.runner.run(self.bus.send(draft, sender="person", idempotency_key=f"{inbox}{key}"))
        self.model.send(inbox, envelope.id)

    @rule(target=grips, slot=slots, limit=st.integers(1, 3))
    def receive(self, slot: str, limit: int) -> MultipleResults[Grip]:
        return multiple(*self.received(slot, limit))

    def received(self, slot: str, limit: int) -> list[Grip]:
        process = self.process(slot)
        found = self.runner.run(process.inbox.receive(limit, block_s=0))
        expected = self.model.receive(process.inbox.name, process.inbox.consumer, limit)
        return self.gripped(process, found, expected)

    @rule(target=grips, slot=slots, expired=st.booleans(), host=st.sampled_from(["", *HOSTS]))
    def take_over(self, slot: str, expired: bool, host: str) -> MultipleResults[Grip]:
        process = self.process(slot)
        idle_s = EXPIRED_S if expired else LIVE_S
        found = self.runner.run(process.inbox.take_over(idle_s=idle_s, host=host or None))
        name, consumer = process.inbox.name, process.inbox.consumer
        expected = self.model.take_over(name, consumer, process.known, expired=expired, host=host)
        return multiple(*self.gripped(process, found, expected))

    def gripped(self, process: Process, found: list[Delivery], expected: list[Held]) -> list[Grip]:
        assert [(each.envelope.id, each.entry.count) for each in found] == [
            (each.message, each.count) for each in expected
        ]
        for delivery, held in zip(found, expected, strict=True):
            entry = self.model.entry(held)
            assert entry is not None
            assert (delivery.entry.raised, delivery.entry.died) == (entry.raised, entry.died)
            assert delivery.deliveries == entry.former + entry.count
            assert delivery.is_suspect == (entry.mark == "waits")
        process.known |= set(expected)
        return [Grip(one, held, process) for one, held in zip(found, expected, strict=True)]

    @rule(
        target=committed,
        grip=grips,
        sent=st.lists(inboxes, max_size=2),
        later=st.lists(inboxes, max_size=1),
        changes=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from([0, 0, 0, 1, -1]), max_size=2),
        guards=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from([0, 0, 0, 1, -1]), max_size=1),
    )
    def commit(
        self, grip: Grip, sent: list[str], later: list[str], changes: dict[str, int], guards: dict[str, int]
    ) -> MultipleResults[Committed]:
        return multiple(*self.commits(grip, sent, later, changes, guards))

    def commits(
        self, grip: Grip, sent: list[str], later: list[str], changes: dict[str, int], guards: dict[str, int]
    ) -> list[Committed]:
        """`changes` and `guards` say by how much the expected version is off."""
        expected = {name: max(0, self.model.board.get(name, 0) + off) for name, off in changes.items()}
        guarded = {name: max(0, self.model.board.get(name, 0) + off) for name, off in guards.items()}
        drafts = tuple(Draft(inbox, TaskProgressed(doing="")) for inbox in sent)
        timers = tuple(Timer(timedelta(0), Draft(inbox, TaskProgressed(doing="late"))) for inbox in later)
        outcome = Outcome(
            messages=drafts,
            changes=tuple(Change(name, AgentDoc(version=version + 1)) for name, version in expected.items()),
            timers=timers,
            guards=tuple(guarded.items()),
        )
        ids = [outcome_id(grip.held.message, n) for n in range(len(sent) + len(later))]
        said = self.model.commit(
            grip.held,
            list(zip(sent, ids, strict=False)),
            expected,
            guarded,
            list(zip(later, ids[len(sent) :], strict=True)),
        )
        self.settles(said, grip, grip.delivery.commit(outcome))
        return [Committed(grip, outcome)] if said == "ok" else []

    @rule(target=committed, grip=grips, field=st.sampled_from(FIELDS))
    def commit_a_change(self, grip: Grip, field: str) -> MultipleResults[Committed]:
        return multiple(*self.commits(grip, [grip.held.inbox], [], {field: 0}, {}))

    @rule(what=consumes(committed))
    def the_reply_to_a_commit_was_lost(self, what: Committed) -> None:
        assert self.answer(what.grip.delivery.commit(what.outcome)) == "ok"

    @rule(grip=grips, inbox=inboxes)
    def emit(self, grip: Grip, inbox: str) -> None:
        count = self.emissions.get(grip.held, 0)
        self.emissions[grip.held] = count + 1
        message = emitted_id(grip.held.message, grip.delivery.deliveries, count)
        said = self.model.emit(grip.held, inbox, message)
        self.settles(said, grip, grip.delivery.emit(Draft(inbox, TaskProgressed(doing=""))), keeps=True)

    @rule(grip=grips)
    def begin(self, grip: Grip) -> None:
        self.settles(self.model.begin(grip.held), grip, grip.delivery.begin(), keeps=True)

    @rule(grip=grips)
    def fail(self, grip: Grip) -> None:
        self.settles(self.model.fail(grip.held), grip, grip.delivery.fail("broken"))

    @rule(grip=grips)
    def release(self, grip: Grip) -> None:
        self.settles(self.model.release(grip.held), grip, grip.delivery.release())

    @rule(grip=grips)
    def reject(self, grip: Grip) -> None:
        self.settles(self.model.reject(grip.held), grip, grip.delivery.reject("no"))

    def settles(self, expected: str, grip: Grip, work: Coroutine[object, object, None], *, keeps: bool = False) -> None:
        """A repeat (`done`) is answered like the first time; what is settled or lost is not known to its process any more."""
        assert self.answer(work) == ("ok" if expected == "done" else expected)
        if expected in ("ok", "lost", "done") and not (keeps and expected != "lost"):
            grip.process.known.discard(grip.held)

    def answer(self, work: Coroutine[object, object, None]) -> str:
        try:
            self.runner.run(work)
        except LeaseLost:
            return "lost"
        except BoardStale:
            return "stale"
        return "ok"

    @rule(grip=grips)
    def renew(self, grip: Grip) -> None:
        lost: list[object] = []
        keeper = LeaseKeeper(lambda: self.server.url, self.bus.keys, on_lost=lost.append)
        keeper.hold(grip.delivery.entry)
        keeper.renew()
        assert (not lost) == self.model.renew(grip.held)

    @rule()
    def time_comes_for_timers(self) -> None:
        assert self.runner.run(self.bus.fire_due_timers()) == self.model.fire_timers()

    @rule(data=st.data(), again=st.booleans())
    @precondition(lambda self: self.model.dead)
    def a_person_decides_on_a_dead_letter(self, data: st.DataObject, again: bool) -> None:
        letter = data.draw(st.sampled_from(self.runner.run(self.bus.dead())))
        assert letter.envelope is not None
        if again:
            self.runner.run(self.bus.dead_retry(letter.id))
            self.model.retry_dead(letter.envelope.id)
        else:
            self.runner.run(self.bus.dead_drop(letter.id))
            self.model.drop_dead(letter.envelope.id)

    # --- what must be so after every step ----------------------------------------------------------

    @invariant()
    def inboxes_hold_what_the_model_holds(self) -> None:
        for inbox in INBOXES:
            key = self.bus.keys.inbox(inbox)
            owners = self.owners(key)
            stream = self.server.ask("XRANGE", key, "-", "+")
            found = [(id_of(fields[1]), *owners.get(id, ("", 0))) for id, fields in stream]
            assert found == [(each.message, each.owner, each.count) for each in self.model.inboxes.get(inbox, [])]

    def owners(self, key: str) -> dict[bytes, tuple[str, int]]:
        try:
            rows = self.server.ask("XPENDING", key, "agent", "-", "+", 1_000)
        except redis.ResponseError:
            return {}
        return {id: (owner.decode(), count) for id, owner, _, count in rows}

    @invariant()
    def the_board_and_the_dead_are_the_models(self) -> None:
        board = self.runner.run(self.bus.board())
        assert {name: doc.version for name, doc in board.docs.items()} == self.model.board
        dead = self.runner.run(self.bus.dead())
        assert {letter.envelope.id: (letter.inbox, letter.failures) for letter in dead if letter.envelope} == {
            message: (inbox, entry.failures) for message, (inbox, entry) in self.model.dead.items()
        }

    @invariant()
    def the_journal_has_each_step_once_and_in_order(self) -> None:
        async def read() -> list[tuple[int, str]]:
            return [(entry.seq, entry.step) async for entry in self.bus.journal()]

        assert self.runner.run(read()) == list(enumerate(self.model.steps, 1))

    @invariant()
    def nothing_is_kept_about_entries_that_are_gone(self) -> None:
        keys, live = self.bus.keys, set[str]()
        for inbox in INBOXES:
            live |= {f"{inbox}/{id.decode()}" for id, _ in self.server.ask("XRANGE", keys.inbox(inbox), "-", "+")}
        kept = self.server.ask("HKEYS", keys.failures) + self.server.ask("HKEYS", keys.held)
        assert {name.decode() for name in kept} <= live


class MortalBusMachine(BusMachine):
    """The same on a server that keeps everything on disk and is killed now and then."""

    @rule()
    def server_dies(self) -> None:
        self.server.kill()
        self.server.start()
