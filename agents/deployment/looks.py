"""What a watch sees: probes and requests at each look, and beside them what may take longer than a look."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from callboard.agents.deployment.pairs import ask_pairs
from callboard.agents.deployment.plan import AnalysisPlan
from callboard.agents.deployment.samples import Reading, Sample
from callboard.agents.deployment.target import Target
from callboard.agents.deployment.times import Clock
from callboard.bus.errors import DeployFailed

T = TypeVar("T")
Call = Callable[[], Awaitable[T]]


class _Open(Generic[T]):
    """A call that is made again as soon as its answer was taken, and never twice at once."""

    def __init__(self, call: Call[T]) -> None:
        self._call = call
        self._task: asyncio.Task[T] | None = None

    def begin(self) -> asyncio.Task[T]:
        if self._task is None:
            self._task = asyncio.ensure_future(self._made())
        return self._task

    def taken(self) -> T | None:
        """The answer, once; None = it is not there yet."""
        if self._task is None or not self._task.done():
            return None
        task, self._task = self._task, None
        return task.result()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _made(self) -> T:
        return await self._call()


class Eye:
    """Gathers samples and readings of one watch."""

    def __init__(
        self,
        target: Target,
        plan: AnalysisPlan,
        blue: str | None,
        green: str,
        clock: Clock,
        readers: Sequence[Call[Reading]],
    ) -> None:
        self.samples: list[Sample] = []
        self.readings: list[Reading] = []
        self._target, self._plan, self._clock, self._green = target, plan, clock, green
        self._since = clock()
        self._seeds = itertools.count()
        self._probe = _Open(lambda: self._probed(green))
        self._requests = _Open(self._requested)
        self._beside = [_Open(lambda: self._probed(blue))] if blue else []
        if blue and plan.pairs_per_s:
            self._beside.append(_Open(lambda: self._paired(blue)))
        self._readers = [_Open(read) for read in readers]

    async def look(self) -> None:
        """Probe Green and fetch what users met; at most one interval. What is not answered by then has failed."""
        for beside in self._beside:
            beside.begin()
        for read in self._readers:
            read.begin()
        await asyncio.wait({self._probe.begin(), self._requests.begin()}, timeout=self._plan.interval_s)
        probed = self._probe.taken()
        self.samples += probed if probed is not None else [self._unanswered()]
        for call in (self._requests, *self._beside):
            self.samples += call.taken() or ()
        self.readings += [reading for read in self._readers if (reading := read.taken()) is not None]

    async def close(self) -> None:
        for call in (self._probe, self._requests, *self._beside):
            await call.close()
        for read in self._readers:
            await read.close()

    def _unanswered(self) -> Sample:
        return Sample(self._clock(), self._green, False, self._plan.interval_s, 0, "probe")

    async def _probed(self, release: str) -> Sequence[Sample]:
        try:
            health = await asyncio.to_thread(self._target.healthy, release)
        except DeployFailed:
            return (Sample(self._clock(), release, False, 0.0, 0, "probe"),)
        return (Sample(self._clock(), release, health.ok, health.latency_s, health.status, "probe"),)

    async def _requested(self) -> Sequence[Sample]:
        """Nothing where the target cannot say: what is missing is not counted, and too few never pass."""
        try:
            found = await asyncio.to_thread(self._target.requests, self._since)
        except DeployFailed:
            return ()
        self._since = max((self._since, *(one.at for one in found)))
        return found

    async def _paired(self, blue: str) -> Sequence[Sample]:
        plan = self._plan
        addresses = {one.id: one.address for one in await asyncio.to_thread(self._target.running)}
        count = max(1, round(plan.pairs_per_s * plan.interval_s))
        both = [(name, addresses.get(name, "")) for name in (blue, self._green)]
        return await ask_pairs(
            both[0], both[1], plan.path, count, within_s=plan.interval_s, clock=self._clock, seed=next(self._seeds)
        )
