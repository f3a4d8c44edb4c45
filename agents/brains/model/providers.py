"""The models of one agent in their order: what fails for a moment is tried again, what is down makes way for the next.

| a call fails with | then |
|---|---|
| `unavailable` `unreachable` `timeout` `unreadable` | the same again, 3 times by default, each after a longer pause; then the next model |
| `rate_limit` | waited for, where that is short; else the next model |
| `denied` `quota` `rejected` `too_long` | the next model |

What is too long for one model and not answered by another is for the conversation to make shorter.

When no model is left: one that is at its limit parks the agent until the limit ends, an outage parks it until a person
says so, and a request that is itself at fault, or a garbled reply, is the attempt's failure.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from loguru import logger

from callboard.agents.brains.model.calling import Heard, ModelCall, Reply
from callboard.bus.errors import BrainParked, CallFailed

UNSAID_S = 60.0
"""How long a limit is taken to last that does not say so; most are per minute."""
REST_S = 60.0
"""For so long a model that was down is asked after the others, instead of waiting for it to fail at each call."""

TRANSIENT = frozenset({"unavailable", "unreachable", "timeout", "unreadable"})
OUTAGE = frozenset({"unavailable", "unreachable", "timeout", "denied", "quota"})
"""What is no fault of the request, and will be so for the next one."""


class Named(Protocol):
    """A model of the list."""

    @property
    def name(self) -> str: ...

    @property
    def retries(self) -> int: ...

    async def call(self, call: ModelCall, heard: Heard) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between tries, in seconds."""

    first_s: float = 1.0
    """The longest pause before the first retry; it doubles with each."""
    longest_s: float = 30.0
    draw: Callable[[], float] = random.random
    """From 0 to 1, so that agents that failed together do not come back together."""

    def pause_s(self, retry: int) -> float:
        """Half of the longest at least; `retry` from 0."""
        return min(self.first_s * 2.0**retry, self.longest_s) * (0.5 + self.draw() / 2)


@dataclass(frozen=True, slots=True)
class _GivenUp:
    failure: CallFailed
    tries: int

    def __str__(self) -> str:
        return f"{self.failure}" + (f" (tried {self.tries} times)" if self.tries > 1 else "")


class Providers:
    """Answers a call with the first model that can.

    Args:
        models: In the order in which they are asked.
        now: For the time at which a limit ends.
    """

    def __init__(
        self,
        models: Sequence[Named],
        *,
        backoff: Backoff | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._models = tuple(models)
        self._backoff = backoff or Backoff()
        self._sleep = sleep
        self._now = now
        self._rests_until: dict[str, datetime] = {}

    async def call(self, call: ModelCall, heard: Heard) -> Reply:
        given_up: list[_GivenUp] = []
        for model in self._in_order():
            answer = await self._patiently(model, call, heard)
            if isinstance(answer, Reply):
                return answer
            self._rests_until[model.name] = self._now() + timedelta(seconds=_rest_s(answer.failure))
            given_up.append(answer)
        raise self._verdict(given_up)

    def _in_order(self) -> list[Named]:
        """Those that are not known to be down first."""
        now = self._now()
        return sorted(self._models, key=lambda model: self._rests_until.get(model.name, now) > now)

    async def _patiently(self, model: Named, call: ModelCall, heard: Heard) -> Reply | _GivenUp:
        tries = 0
        while True:
            try:
                return await model.call(call, heard)
            except CallFailed as failure:
                tries += 1
                pause_s = self._pause_s(failure, tries - 1, call.patience_s)
                if pause_s is None or tries > model.retries:
                    return _GivenUp(failure, tries)
                logger.info(
                    "model call is tried again", model=model.name, cause=failure.cause, after_s=round(pause_s, 1)
                )
                await heard(f"\nwaits {pause_s:.0f} s, then tries {model.name} again: {failure}\n")
            await self._sleep(pause_s)

    def _pause_s(self, failure: CallFailed, retry: int, patience_s: float) -> float | None:
        """How long to wait before the same is tried again; None = it is not."""
        backoff_s = self._backoff.pause_s(retry)
        if failure.cause == "rate_limit":
            asked_s = backoff_s if failure.retry_after_s is None else failure.retry_after_s
            return asked_s if asked_s <= patience_s else None
        if failure.cause not in TRANSIENT:
            return None
        return max(backoff_s, min(failure.retry_after_s or 0.0, patience_s))

    def _verdict(self, given_up: Sequence[_GivenUp]) -> CallFailed | BrainParked:
        failures = [one.failure for one in given_up]
        said = "; ".join(map(str, given_up))
        if (too_long := next((failure for failure in failures if failure.cause == "too_long"), None)) is not None:
            return too_long
        limits = [_rest_s(failure) for failure in failures if failure.cause == "rate_limit"]
        if limits:
            until = self._now() + timedelta(seconds=min(limits))
            return BrainParked(f"at its provider's limit: {said}", cause="rate_limit", until=until)
        if any(failure.cause in OUTAGE for failure in failures):
            return BrainParked(f"no model can be reached: {said}", cause="provider")
        return failures[-1]


def _rest_s(failure: CallFailed) -> float:
    if failure.cause == "rate_limit":
        return UNSAID_S if failure.retry_after_s is None else failure.retry_after_s
    return REST_S if failure.cause in OUTAGE else 0.0
