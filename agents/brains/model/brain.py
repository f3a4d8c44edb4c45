"""A brain that is a model with tools: it works in a clone, or judges in a checkout."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from pydantic import JsonValue

from callboard.agents.brains.about import about
from callboard.agents.brains.answer import last_line, read_shape
from callboard.agents.brains.brain import (
    AnyJob,
    Failed,
    Inquiry,
    Job,
    RawAnswer,
    RawVerdict,
    Report,
    Result,
    ReviewJob,
)
from callboard.agents.brains.budget import Budget
from callboard.agents.brains.calls import BeginRecord, CallLog, ParkRecord
from callboard.agents.brains.mcp.offer import NoServers, Servers
from callboard.agents.brains.model import prompt
from callboard.agents.brains.model.calling import BYTES_PER_TOKEN, Caller
from callboard.agents.brains.model.conversation import Conversation, NoEnd, Subject
from callboard.agents.brains.model.logged import LoggedCaller
from callboard.agents.brains.model.room import Window
from callboard.agents.brains.model.toolbox import End, Tool, by_name
from callboard.agents.brains.model.tools import BriefVerdict, driver_tools, inquiry_tools, reviewer_tools
from callboard.agents.brains.model.using import ToolUser
from callboard.agents.reviewer.verdict import parse_verdict
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent

OpenLog = Callable[[AnyJob], CallLog]
"""The call log of an attempt, a review or a question."""


DEFAULT_WINDOW = Window(128_000, 16_384)
"""As ModelSettings has it."""


class ModelBrain:
    """Thinks with a model.

    Args:
        caller: Who answers: one model, or several in their order.
        open_log: Called once per attempt or review, again after a crash.
        has_tools: False: the model cannot call tools; it reviews by the diff alone.
        max_turns: How many replies one attempt or review may take.
        window: The smallest of its models.
        redact: Takes secrets out of what the model is told.
        servers: More tools.
    """

    def __init__(
        self,
        caller: Caller,
        open_log: OpenLog,
        *,
        now: Callable[[], datetime],
        budget: Budget | None = None,
        has_tools: bool = True,
        max_turns: int = 100,
        window: Window = DEFAULT_WINDOW,
        redact: Callable[[str], str] = str,
        servers: Servers | None = None,
    ) -> None:
        self._caller = caller
        self._open_log = open_log
        self._now = now
        self._budget = budget
        self._has_tools = has_tools
        self._max_turns = max_turns
        self._window = window
        self._redact = redact
        self._servers = servers if servers is not None and has_tools else NoServers()

    async def work(self, job: Job, report: Report) -> Result:
        subject = Subject(
            task=job.task,
            instructions=prompt.driver_instructions(job),
            tools=driver_tools(job.seat),
            read_text=_only_tools_end,
            max_turns=self._max_turns,
            window=self._window,
        )
        begin = self._begin(subject, job, prompt.driver_prompt(job), prompt.notes(job.notes))
        try:
            async with asyncio.timeout(job.seat.timeout_s):
                result = (await self._talk(subject, job, begin, report)).result
        except TimeoutError:
            return Failed(f"stopped at its time limit of {job.seat.timeout_s:g} s")
        except NoEnd as error:
            return Failed(str(error))
        assert not isinstance(result, RawVerdict | RawAnswer), "a driver has no tool that gives a verdict or an answer"
        return result

    async def review(self, job: ReviewJob) -> RawVerdict:
        tools: tuple[Tool, ...] = reviewer_tools(job.seat) if self._has_tools else ()
        ends = _clock() + job.seat.timeout_s
        schema: JsonValue = None if self._has_tools else BriefVerdict.model_json_schema()
        subject = Subject(
            task=job.task,
            instructions=prompt.reviewer_instructions(job, has_tools=self._has_tools),
            tools=tools,
            read_text=_verdict_in,
            max_turns=self._max_turns,
            window=self._window,
            schema=schema,
            # nobody else can judge instead, so it waits; half of its time is left to think in
            patience_s=lambda: (ends - _clock()) / 2,
        )
        most = self._window.limit * BYTES_PER_TOKEN // 2
        begin = self._begin(subject, job, prompt.reviewer_prompt(job, max_diff=most))
        try:
            async with asyncio.timeout(job.seat.timeout_s):
                result = (await self._talk(subject, job, begin, _nobody)).result
        except TimeoutError as error:
            raise BrainError(f"no verdict within {job.seat.timeout_s:g} s") from error
        assert isinstance(result, RawVerdict), "a reviewer has no tool that ends an attempt"
        return result

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        tools: tuple[Tool, ...] = inquiry_tools(inquiry) if self._has_tools else ()
        ends = _clock() + inquiry.seat.timeout_s

        def read(text: str) -> End:
            read_shape(text, inquiry.shape)
            return End(RawAnswer(text if text.strip().startswith("{") else last_line(text.encode())))

        subject = Subject(
            task=inquiry.task,
            instructions=prompt.inquiry_instructions(inquiry, has_tools=self._has_tools),
            tools=tools,
            read_text=read,
            max_turns=self._max_turns,
            window=self._window,
            schema=None if self._has_tools else inquiry.shape.model_json_schema(),
            patience_s=lambda: (ends - _clock()) / 2,
        )
        try:
            async with asyncio.timeout(inquiry.seat.timeout_s):
                begin = self._begin(subject, inquiry, inquiry.text)
                result = (await self._talk(subject, inquiry, begin, _nobody)).result
        except TimeoutError as error:
            raise BrainError(f"no answer within {inquiry.seat.timeout_s:g} s") from error
        assert isinstance(result, RawAnswer), "nothing else ends a question"
        return result

    def _begin(self, subject: Subject, job: AnyJob, said: str, notes: Sequence[str] = ()) -> BeginRecord:
        return BeginRecord(
            instructions=subject.instructions,
            prompt=self._redact(said),
            notes=tuple(map(self._redact, notes)),
            about=about(job),
            at=self._now(),
        )

    async def _talk(self, subject: Subject, job: AnyJob, begin: BeginRecord, report: Report) -> End:
        log = self._open_log(job)
        caller = LoggedCaller(self._caller, log, self._budget, self._now)
        async with self._servers.tools(job.seat, log) as extra:
            subject = replace(subject, tools=(*subject.tools, *extra.tools))
            said = "\n\n".join([begin.prompt, *prompt.missing(extra.problems)])
            begin = begin.model_copy(update={"prompt": said})
            user = ToolUser(by_name(subject.tools), log, self._now, self._redact)
            try:
                return await Conversation(subject, caller, user, report, log, begin).until_end()
            except (BrainParked, BudgetSpent) as error:
                cause = error.cause if isinstance(error, BrainParked) else "budget"
                log.append(ParkRecord(cause=cause, detail=self._redact(str(error)), at=self._now()))
                raise


def _only_tools_end(text: str) -> NoReturn:
    said = "it called no tool" if text.strip() else "it was empty"
    raise BrainError(f"{said}. Go on with a tool; only done, blocked or ask ends your attempt.")


def _verdict_in(text: str) -> End:
    """A verdict that was said instead of given, which some models do; read as strictly."""
    if not text.strip():
        raise BrainError("it was empty; give your verdict.")
    try:
        parse_verdict(text)
    except BrainError as error:
        raise BrainError(f"{error}. Go on looking, or give your verdict.") from error
    return End(RawVerdict(text if text.strip().startswith("{") else last_line(text.encode())))


def _clock() -> float:
    return asyncio.get_running_loop().time()


async def _nobody(_: str) -> None:
    return None
