"""One attempt at one message: handle it, then commit, or say what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from loguru import logger

from callboard.agents.handler import Handler, refusal
from callboard.agents.suspects import Turn
from callboard.bus.committer import Answer
from callboard.bus.delivery import Delivery, Entry
from callboard.bus.envelope import trace_id
from callboard.bus.errors import BoardStale, BusError, BusUnavailable, InboxFull, LeaseLost, Reject, Retry
from callboard.bus.lease import LEASE_S, Held
from callboard.bus.messages import JOURNAL, Draft, Envelope, MessageRefused, Outcome
from callboard.bus.room import until_room

if TYPE_CHECKING:
    from loguru import Logger

STALE_DELAY_S = 0.01
LONGEST_DELAY_S = 5.0
GIVE_BACK_S = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Times, in seconds."""

    handler_timeout_s: float
    """The longest a message may be worked on in one delivery."""
    grace_s: float = 10.0
    """How long handlers may go on after a stop, before they are cancelled; and again, to clean up."""
    retry_s: float = 1.0
    """The delay after the first unexpected error of a message; it doubles with each."""
    sure_s: float = LEASE_S / 2
    """A message that waited longer is checked to be still ours before its handler starts: this process may have been
    paused, and whoever has the message now is doing what its handler would do again."""


Handling = asyncio.Future[Outcome]
"""A handler at work, or what it has returned or raised."""


class TooSlow(Exception):
    """The handler did not finish in its time."""


class Attempt:
    """A delivery and its handler; used once.

    Args:
        may_send: Whether this sender's role may send this kind.
        held: Its lease.
        turn: The turn of suspects.
        lane: Where it is worked on.
    """

    __slots__ = (
        "_begun",
        "_delivery",
        "_handler",
        "_handling",
        "_held",
        "_is_lost",
        "_limits",
        "_may_send",
        "_refused",
        "_taken_in",
        "_turn",
        "has_run",
        "lane",
    )

    def __init__(
        self,
        delivery: Delivery,
        handler: Handler,
        limits: Limits,
        *,
        may_send: Callable[[str, str], bool],
        held: Held,
        turn: Turn,
        lane: str,
    ) -> None:
        self.lane = lane
        self.has_run = False
        """Whether `run` has got as far as to give it back by itself."""
        self._delivery = delivery
        self._handler = handler
        self._limits = limits
        self._may_send = may_send
        self._held = held
        self._turn = turn
        self._begun: Handling | None = None
        """Its handler, which has begun in a task that others took before."""
        self._handling: Handling | None = None
        self._refused: Exception | None = None
        """What the server has said to a commit that nobody waited for."""
        self._is_lost = False
        self._taken_in = time.monotonic()

    @property
    def _log(self) -> Logger:
        # Bound when there is something to say: most messages are handled without a word.
        return logger.bind(**self._ids, delivery=self._delivery.deliveries)

    @property
    def _ids(self) -> dict[str, object]:
        envelope = self._delivery.envelope
        ids = {
            "run": envelope.run,
            "agent": self._delivery.entry.inbox,
            "task": envelope.task,
            "attempt": envelope.attempt,
            "message": envelope.id,
            "kind": envelope.kind,
            "trace": trace_id(envelope.trace),
        }
        return {name: id for name, id in ids.items() if id}

    @property
    def entry(self) -> Entry:
        return self._delivery.entry

    @property
    def envelope(self) -> Envelope:
        return self._delivery.envelope

    @property
    def deliveries(self) -> int:
        return self._delivery.deliveries

    async def emit(self, *drafts: Draft) -> None:
        # a handler that has worked for an hour is held up, not broken off
        await self._until_room(lambda: self._delivery.emit(*drafts))
        self._turn.end()

    def lose(self) -> None:
        """The lease is gone: whatever the handler still does cannot count."""
        self._is_lost = True
        if self._handling is not None:
            self._handling.cancel()

    def is_plain(self) -> bool:
        """Whether its handler may begin as it is: it is surely ours, and nothing is known against it."""
        return not (self._is_lost or self._needs_asking or refusal(self.envelope, self._may_send))

    async def handle(self) -> Outcome:
        """Run its handler, and nothing else. From here on the lease is kept no longer than a handler may take."""
        self._held.keep(self._limits.handler_timeout_s + 2 * self._limits.grace_s)
        # what it logs says what it is about
        with logger.contextualize(**self._ids):
            return await self._handler.handle(self)

    def commit_soon(self, outcome: Outcome, answer: Answer) -> None:
        """As Delivery.commit_soon."""
        self._delivery.commit_soon(outcome, answer)

    async def run(self, handling: Handling | None = None, refused: Exception | None = None) -> None:
        """Handle and settle. Cancelled, it stops the handler and gives the message back.

        Args:
            handling: Its handler, which has begun already.
            refused: What the server has said to a commit of what that has returned.

        Raises:
            BusUnavailable: The server is gone; the message will be taken over.
        """
        self.has_run = True
        self._begun, self._refused = handling, refused
        try:
            if handling is None:
                await self._ask_for_it()
            await self._settle()
        except LeaseLost:
            self._log.warning("lease lost, work dropped")
        except asyncio.CancelledError:
            await self.give_back()
            raise
        finally:
            self._turn.end()

    @property
    def _needs_asking(self) -> bool:
        return self._delivery.is_suspect or time.monotonic() - self._taken_in > self._limits.sure_s

    async def _ask_for_it(self) -> None:
        """Take care with a suspect, and ask the server for what may not be ours any more."""
        if self._delivery.is_suspect:
            await self._turn.begin()
        if self._needs_asking:
            await self._delivery.begin()

    async def give_back(self) -> None:
        """Release it for the next consumer; if that cannot be done now, its lease ends by itself."""
        try:
            async with asyncio.timeout(GIVE_BACK_S):
                await self._delivery.release()
        except (BusError, TimeoutError) as error:
            self._log.info("message not given back", error=str(error))

    async def _settle(self) -> None:
        """Decide in one place what becomes of the message."""
        delivery = self._delivery
        try:
            if reason := refusal(self.envelope, self._may_send):
                self._log.error("message refused", sender=self.envelope.sender, reason=reason)
                note = MessageRefused(
                    refused=self.envelope.id,
                    refused_kind=self.envelope.kind,
                    refused_sender=self.envelope.sender,
                    reason=reason,
                )
                await self._until_room(lambda: delivery.reject(reason, Draft(JOURNAL, note)))
            else:
                await self._until_committed()
        except Retry as signal:
            self._log.info("handler asked for a retry", reason=str(signal), after_s=signal.after_s)
            await self._fail(str(signal), signal.after_s)
        except Reject as signal:
            reason = str(signal)
            self._log.error("handler rejected the message", reason=reason)
            await self._until_room(lambda: delivery.reject(reason))
        except TooSlow as error:
            self._log.error("handler took too long", error=str(error))
            await self._fail(str(error), self._backoff_s)
        except InboxFull as error:
            self._log.warning("server is full, message is given back", error=str(error))
            await asyncio.sleep(LONGEST_DELAY_S)
            await self._until_room(delivery.release)
        except (LeaseLost, BusUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - the loop's edge: whatever a handler raises is its message's failure
            self._log.opt(exception=error).error("handler raised")
            await self._fail(f"{type(error).__name__}: {error}", self._backoff_s)

    @property
    def _backoff_s(self) -> float:
        return float(self._limits.retry_s * 2**self._delivery.entry.raised)

    async def _fail(self, error: str, after_s: float) -> None:
        await self._until_room(lambda: self._delivery.fail(error, after_s=after_s))

    async def _until_committed(self) -> None:
        """Handle and commit; with a stale board again, which is nobody's failure."""
        loop = asyncio.get_running_loop()
        deadline, delay = loop.time() + self._limits.handler_timeout_s, STALE_DELAY_S
        while True:
            outcome = await self._handle(deadline)
            try:
                return await self._until_room(partial(self._commit, outcome))
            except BoardStale as error:
                self._log.debug("board was stale, handling again", field=error.field)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY_S)

    async def _commit(self, outcome: Outcome) -> None:
        refused, self._refused = self._refused, None
        if refused is not None:
            raise refused
        await self._delivery.commit(outcome)

    async def _handle(self, deadline: float) -> Outcome:
        """What the handler returns; it runs in a task of its own, so that it can be stopped without stopping us."""
        begun, self._begun = self._begun, None
        if self._is_lost:
            if begun is not None:
                await self._cancel(begun)
            raise self._lost("before the handler began")
        loop = asyncio.get_running_loop()
        self._handling = handling = begun or loop.create_task(self.handle())
        # asyncio.wait would do the same with more objects for each message.
        ended_or_late: asyncio.Future[None] = loop.create_future()
        alarm = loop.call_at(deadline, _wake, ended_or_late)
        handling.add_done_callback(lambda _: _wake(ended_or_late))
        try:
            await ended_or_late
        except asyncio.CancelledError:
            await self._cancel(handling)
            raise
        finally:
            alarm.cancel()
        if not handling.done():
            await self._cancel(handling)
            raise TooSlow(f"not handled within {self._limits.handler_timeout_s:g} s")
        if handling.cancelled():
            if self._is_lost:
                raise self._lost("while the handler worked")
            raise RuntimeError("the handler cancelled itself")
        return handling.result()

    def _lost(self, when: str) -> LeaseLost:
        self._delivery.forget()
        return LeaseLost(f"the lease was lost {when}")

    async def _cancel(self, handling: Handling) -> None:
        handling.cancel()
        _, late = await asyncio.wait({handling}, timeout=self._limits.grace_s)
        if late:
            self._log.error("handler ignores its cancellation; it is left behind")
        elif not handling.cancelled() and (error := handling.exception()) is not None:
            self._log.opt(exception=error).warning("handler raised while it was stopped")

    async def _until_room(self, settle: Callable[[], Awaitable[None]]) -> None:
        """Try until there is room; meanwhile the lease is kept."""
        await until_room(settle)


def _wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
