"""A brain that plays recorded replies of models: what is said is recorded, what tools do in the clone is real."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart

from callboard.agents.brains.about import about
from callboard.agents.brains.brain import (
    AnyJob,
    Brain,
    Inquiry,
    Job,
    RawAnswer,
    RawVerdict,
    Report,
    Result,
    ReviewJob,
)
from callboard.agents.brains.budget import Budget, CallEstimate
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import CallLog
from callboard.agents.brains.model.calling import Caller, Heard, ModelCall, Reply
from callboard.agents.brains.played import PlayedLog
from callboard.agents.brains.recording import Recording, Said

REPLY_S = 0.25
"""How long a played reply takes, so that people can follow what agents do."""


class MakeBrain(Protocol):
    def __call__(self, caller: Caller, log: CallLog) -> Brain:
        """A model brain for one attempt or review."""
        ...


@dataclass(frozen=True, slots=True)
class Played:
    """What every played reply goes through."""

    open_file: Callable[[AnyJob], CallFile]
    """Where what is played is written down."""
    behind_past: Callable[[AnyJob, CallFile], CallLog]
    """The same, behind what was said before."""
    budget: Budget
    priced_as: Callable[[str], str]
    """A name of `[models.NAME]` -> as prices have it."""
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


class ReplayBrain:
    """Plays what a recording has of an attempt or review, and nothing of any other.

    Args:
        make: The model brain, which does all the rest.
    """

    def __init__(self, recording: Recording, make: MakeBrain, played: Played) -> None:
        self._recording = recording
        self._make = make
        self._played = played

    async def work(self, job: Job, report: Report) -> Result:
        return await self._brain(job).work(job, report)

    async def review(self, job: ReviewJob) -> RawVerdict:
        return await self._brain(job).review(job)

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        return await self._brain(inquiry).answer(inquiry)

    def _brain(self, job: AnyJob) -> Brain:
        talk = self._recording.find(about(job))
        file = self._played.open_file(job)
        log = PlayedLog(file, self._played.behind_past(job, file), talk, self._played.now)
        return self._make(PlayedCaller(log, self._played), log)


@dataclass(frozen=True, slots=True)
class PlayedCaller:
    """Answers each call with the recorded reply that comes next, at the tokens and the price that it took then."""

    log: PlayedLog
    played: Played

    async def call(self, call: ModelCall, heard: Heard) -> Reply:
        """See Caller; raises BrainError where the recording ends."""
        said, number = self.log.reply(), len(call.messages)
        usage = said.usage
        estimate = CallEstimate(
            task=call.task,
            model=self.played.priced_as(said.model),
            input_tokens=usage.input_tokens,
            max_output_tokens=usage.output_tokens,
            usd=usage.usd,
        )
        reservation = await self.played.budget.reserve(estimate)
        await heard(said.says)
        await self.played.sleep(REPLY_S)
        return Reply(response_of(said, number), said.model, usage, reservation.id, REPLY_S)


def response_of(said: Said, number: int) -> ModelResponse:
    """A recorded reply as the model gave it.

    Args:
        number: Of the reply in its conversation, for the ids of its tool calls.
    """
    text = [TextPart(content=said.says)] if said.says else []
    calls = [
        ToolCallPart(tool_name=it.tool, args=_arguments(it.arguments), tool_call_id=f"{number}.{n}")
        for n, it in enumerate(said.calls, start=1)
    ]
    return ModelResponse(parts=[*text, *calls], model_name=said.model, finish_reason=said.finish)


def _arguments(value: object) -> str | dict[str, object]:
    return value if isinstance(value, dict) else str(value)
