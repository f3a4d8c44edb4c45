"""Watches whether the roster's processes can be reached, and has those replaced that cannot.

A process at work reads its inbox twice a second and renews its leases from a thread of its own. One of which the server has
heard nothing for `unreachable_s`, at several looks in a row while the server answers us, is stopped, hangs whole, or its host
is gone. One of ours is asked to end, then ended; the next one takes over what it held, and keeps what its clone holds. Of one
that runs elsewhere the manager is told that it is down, so that its task goes to somebody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from callboard.agents.manager.decision import MANAGER
from callboard.bus.board import AgentDoc
from callboard.bus.bus import Bus
from callboard.bus.consumers import Consumer
from callboard.bus.ending import end
from callboard.bus.errors import BusError
from callboard.bus.messages import AgentUnreachable, Draft, RosterChanged
from callboard.launch.children import Child

LOOKS = 3
"""In a row: a machine that slept has everybody silent at the first look after it."""


@asynccontextmanager
async def reaching(
    bus: Bus, children: Sequence[Child], roster: Mapping[str, str], unreachable_s: float, say: Callable[[str], None]
) -> AsyncIterator[None]:
    """Watch while the roster works.

    Args:
        roster: Agent -> role, of all that the manager of this launch directs; empty = it has none.
    """
    watch = asyncio.create_task(Watch(bus, {child.name: child for child in children}, roster, unreachable_s, say).run())
    try:
        yield
    finally:
        await end(watch)


@dataclass(slots=True)
class Watch:
    """See reaching."""

    bus: Bus
    children: Mapping[str, Child]
    roster: Mapping[str, str]
    unreachable_s: float
    say: Callable[[str], None]
    _strikes: Counter[str] = field(default_factory=Counter)
    """Consumer -> looks in a row at which it was silent for too long."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.unreachable_s / (2 * LOOKS))
            try:
                lost = [name for name in {*self.children, *self.roster} if await self._is_lost(name)]
                for name in lost:
                    await self._replace(name)
            except BusError:
                # a server that does not answer us hears of nobody
                self._strikes.clear()

    async def _is_lost(self, name: str) -> bool:
        newest = max(await self.bus.consumers(name), key=lambda found: found.began, default=None)
        return newest is not None and self.struck_out(newest)

    def struck_out(self, newest: Consumer) -> bool:
        """Each process once: the next one has a name of its own."""
        if newest.silent_s < self.unreachable_s:
            self._strikes.pop(newest.name, None)
            return False
        self._strikes[newest.name] += 1
        return self._strikes[newest.name] == LOOKS

    async def _replace(self, name: str) -> None:
        reason = f"nothing was heard of it for {self.unreachable_s:g} s"
        child = self.children.get(name)
        if child is not None and child.is_running:
            self.say(f"{name} cannot be reached: {reason}; it is ended and started again")
            with suppress(BusError):
                await self.bus.send(Draft(MANAGER, AgentUnreachable(agent=name, reason=reason)), sender="launcher")
            await child.replace()
            return
        agent = await self.bus.doc(f"agent:{name}", AgentDoc)
        if child is None and name != MANAGER and agent.state in ("idle", "working"):
            reason = f"{reason}; it ran as process {agent.pid} on {agent.host}"
            body = RosterChanged(agents=dict(self.roster), down=(name,), reason=reason)
            await self.bus.send(Draft(MANAGER, body), sender="launcher")
