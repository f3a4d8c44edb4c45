"""A caller with a call log in front of it: what is recorded is not asked again, what is asked is recorded first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pydantic import ValidationError

from callboard.agents.brains.budget import Budget, Reservation
from callboard.agents.brains.calls import CallLog, CallRecord
from callboard.agents.brains.model.calling import Caller, Heard, ModelCall, Reply, response_as_json, response_from_json
from callboard.bus.errors import BrainError


class LoggedCaller:
    """For one attempt or one review.

    Args:
        budget: Where a reply's reservation is settled, once the reply is recorded; what a resumed attempt finds in its
            log is settled again, which changes nothing if it was settled before the crash.
    """

    def __init__(self, caller: Caller, log: CallLog, budget: Budget | None, now: Callable[[], datetime]) -> None:
        self._caller = caller
        self._log = log
        self._budget = budget
        self._now = now

    async def call(self, call: ModelCall, heard: Heard) -> Reply:
        digest = call.digest
        record = self._log.next_call(digest)
        if record is None:
            record = self._record(digest, await self._caller.call(call, heard))
            self._log.append(record)
        if self._budget is not None and record.reservation:
            await self._budget.settle(Reservation(record.reservation), record.usage)
        return _reply(record)

    def _record(self, digest: str, reply: Reply) -> CallRecord:
        usage = reply.usage
        return CallRecord(
            digest=digest,
            model=reply.model,
            response=response_as_json(reply.response),
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            usd=usage.usd,
            reservation=reply.reservation,
            duration_s=reply.duration_s,
            at=self._now(),
        )


def _reply(record: CallRecord) -> Reply:
    """Always as it was written down, so that what follows is the same live and from the log."""
    try:
        response = response_from_json(record.response)
    except (ValidationError, ValueError) as error:
        raise BrainError(f"the call log holds a reply that cannot be read: {error}") from error
    return replace(
        Reply(response, record.model), usage=record.usage, reservation=record.reservation, duration_s=record.duration_s
    )
