"""A brain that is somebody outside: what is asked lies at the hatch until an answer does."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from callboard.agents.brains.brain import Inquiry, Job, Parked, RawAnswer, RawVerdict, Report, Result, ReviewJob
from callboard.agents.outside.hatch import Hatch, Left

GONE = "whoever works for it left before it was done"


class OutsideBrain:
    """The brain of one agent from outside, for as long as somebody works for it."""

    def __init__(self, hatch: Hatch) -> None:
        self._hatch = hatch

    async def work(self, job: Job, report: Report) -> Result:
        try:
            given = await self._hatch.answer(job, report)
        except Left:
            return Parked("away", GONE)
        assert not isinstance(given, RawVerdict | RawAnswer), "the tools give a task its own kind of result"
        return given

    async def review(self, job: ReviewJob) -> RawVerdict:
        try:
            given = await self._hatch.answer(job)
        except Left:
            await _not_at_all()
        assert isinstance(given, RawVerdict), "the tools give a review a verdict"
        return given

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        try:
            given = await self._hatch.answer(inquiry)
        except Left:
            await _not_at_all()
        assert isinstance(given, RawAnswer), "the tools give a question an answer"
        return given


async def _not_at_all() -> NoReturn:
    """An abstention would count: so nothing is said, the request is given back, and whoever comes next gets it."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
