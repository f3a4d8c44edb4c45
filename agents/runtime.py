"""The loop all agents share: receive, hold the lease, handle, commit."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from callboard.agents.attempt import GIVE_BACK_S, Attempt, Limits
from callboard.agents.crew import Crew
from callboard.agents.handler import Handler, Work
from callboard.agents.lanes import Lanes
from callboard.agents.suspects import Turn
from callboard.bus.bus import Bus
from callboard.bus.delivery import Delivery, Entry
from callboard.bus.lease import LEASE_S, RENEW_S, LeaseKeeper

__all__ = ["Handler", "Runtime", "Work"]

BLOCK_S = 0.5
"""How long one read waits for messages; a stop waits for it, since a read that is broken off may lose what it got."""
SHORT_S = 0.05
"""The same while an inbox is left out because enough of it is held: it must not wait long for the others."""
SWEEP_S = 1.0
"""How often it looks for released and abandoned messages and for due timers."""
MOST_HELD = 200
"""Messages of one inbox held at once, worked on or waiting in their lanes or for their commit."""
MOST_TOGETHER = 50
"""Inboxes that one command reads. The server looks at each of them whenever a message comes to one, so that a thousand
together cost ten times as much as a few; twenty connections cost less than that (docs/benchmarks.md)."""
MOST_READ = 100
"""Messages of one read: one batch is handled while the commits of another are on their way."""


class Runtime:
    """The work of one or many agents, or hands, of one process on their inboxes.

    Args:
        handlers: By the name of the inbox.
        consumer: `<agent>.<host>.<incarnation>`, in all of them. At the start it takes over at once what other consumers of
            this host held: whoever runs this must hold the agent's lock.
        may_send: Whether this sender's role may send this kind; what may not be sent is refused and recorded.
        handler_timeout_s: The longest a message may be worked on in one delivery; more is a failure.
        grace_s: How long running handlers may go on after a stop.
        retry_s: The delay after a message's first unexpected error; it doubles with each.
    """

    def __init__(
        self,
        bus: Bus,
        handlers: Mapping[str, Handler],
        consumer: str,
        *,
        may_send: Callable[[str, str], bool],
        handler_timeout_s: float,
        grace_s: float = 10.0,
        retry_s: float = 1.0,
        lease_s: float = LEASE_S,
        renew_s: float = RENEW_S,
        sweep_s: float = SWEEP_S,
    ) -> None:
        self.consumer = consumer
        self._bus = bus
        self._handlers = dict(handlers)
        self._may_send = may_send
        self._limits = Limits(handler_timeout_s, grace_s, retry_s, sure_s=lease_s / 2)
        self._lease_s = lease_s
        self._renew_s = renew_s
        self._sweep_s = sweep_s
        self._suspects = asyncio.Lock()
        """Protects the turn of suspects: agents/suspects.py."""
        self._attempts: dict[str, Attempt] = {}
        self._held = Counter[str]()
        """Messages of each inbox that are held."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`: then what waits is given back, and what runs gets its grace.

        Raises:
            BusUnavailable: The server went away and did not come back in time.
        """
        loop = asyncio.get_running_loop()

        def on_lost(entry: Entry) -> None:
            loop.call_soon_threadsafe(self._lose, entry)

        keeper = LeaseKeeper(lambda: self._bus.url, self._bus.keys, on_lost=on_lost, renew_s=self._renew_s)
        keeper.start()
        try:
            await self._work(keeper, stop)
        except ExceptionGroup as errors:
            raise _first(errors) from errors
        finally:
            # Last of all: leases are kept until every handler has finished.
            await asyncio.to_thread(keeper.close)

    async def _work(self, keeper: LeaseKeeper, stop: asyncio.Event) -> None:
        def ended(attempt: Attempt) -> None:
            self._forget(attempt, keeper)
            lanes.ended(attempt.lane)

        group = asyncio.TaskGroup()
        crew = Crew(group, ended)
        lanes = Lanes[Attempt](crew.begin)

        def close() -> None:
            lanes.close()
            crew.close()

        async def close_at_stop() -> None:
            """Nothing more begins, although the read that is under way still takes its time."""
            await stop.wait()
            close()

        try:
            async with group:
                closing = group.create_task(close_at_stop())
                try:
                    await self._receive_all(lanes, keeper, stop)
                finally:
                    close()
                    closing.cancel()
                    await crew.answered(GIVE_BACK_S)
                    await self._give_back([*crew.empty(), *lanes.empty()], keeper)
                await crew.end(self._limits.grace_s)
        finally:
            await self._give_back(crew.empty(), keeper)

    async def _receive_all(self, lanes: Lanes[Attempt], keeper: LeaseKeeper, stop: asyncio.Event) -> None:
        names = tuple(self._handlers)
        async with asyncio.TaskGroup() as readers:
            for start in range(0, len(names), MOST_TOGETHER):
                some = names[start : start + MOST_TOGETHER]
                readers.create_task(self._receive(some, lanes, keeper, stop, fires_timers=start == 0))

    async def _receive(
        self, some: Sequence[str], lanes: Lanes[Attempt], keeper: LeaseKeeper, stop: asyncio.Event, fires_timers: bool
    ) -> None:
        clock = asyncio.get_running_loop().time
        inboxes = self._bus.inboxes(some, self.consumer)
        host = self.consumer.partition(".")[2].rpartition(".")[0]
        self._take_in(await inboxes.take_over(idle_s=self._lease_s, host=host or None), lanes, keeper)
        await inboxes.forget_dead_consumers()
        next_sweep = clock() + self._sweep_s
        while not stop.is_set():
            names, wait_s = self._with_room(inboxes.names), min(BLOCK_S, max(0.001, next_sweep - clock()))
            if not names:
                await lanes.finished_one(wait_s)
            else:
                wait_s = wait_s if names is inboxes.names else min(wait_s, SHORT_S)
                self._take_in(await inboxes.receive(names, MOST_READ, wait_s), lanes, keeper)
            if clock() >= next_sweep:
                if names:
                    self._take_in(await inboxes.take_over(idle_s=self._lease_s), lanes, keeper)
                if fires_timers:
                    await self._bus.fire_due_timers()
                next_sweep = clock() + self._sweep_s

    def _with_room(self, names: Sequence[str]) -> Sequence[str]:
        """The inboxes whose next messages may be taken in; the same object when all may."""
        full = {name for name, held in self._held.items() if held > MOST_HELD - MOST_READ}
        return [name for name in names if name not in full] if full else names

    def _take_in(self, deliveries: list[Delivery], lanes: Lanes[Attempt], keeper: LeaseKeeper) -> None:
        for delivery in deliveries:
            entry = delivery.entry
            handler = self._handlers[entry.inbox]
            attempt = Attempt(
                delivery,
                handler,
                self._limits,
                may_send=self._may_send,
                held=keeper.hold(entry),
                turn=Turn(self._suspects),
                lane=f"{entry.inbox}/{handler.lane(delivery.envelope)}",
            )
            self._attempts[entry.field] = attempt
            self._held[entry.inbox] += 1
            lanes.put(attempt.lane, attempt)

    async def _give_back(self, attempts: list[Attempt], keeper: LeaseKeeper) -> None:
        await asyncio.gather(*(attempt.give_back() for attempt in attempts))
        for attempt in attempts:
            self._forget(attempt, keeper)

    def _forget(self, attempt: Attempt, keeper: LeaseKeeper) -> None:
        entry = attempt.entry
        keeper.let_go(entry)
        self._held[entry.inbox] -= 1
        if self._attempts.get(entry.field) is attempt:
            del self._attempts[entry.field]

    def _lose(self, entry: Entry) -> None:
        attempt = self._attempts.get(entry.field)
        if attempt is not None and attempt.entry is entry:
            attempt.lose()


def _first(errors: ExceptionGroup[Exception]) -> Exception:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
