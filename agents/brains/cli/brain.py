"""A brain that is an agent CLI: headless, in an environment that is said here, read by its events (docs/clis.md)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

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
    Seat,
)
from callboard.agents.brains.budget import Budget, Reservation
from callboard.agents.brains.call_file import CallFile
from callboard.agents.brains.calls import CallRecord
from callboard.agents.brains.cli import adapter as told
from callboard.agents.brains.cli.adapter import Adapter, Order
from callboard.agents.brains.cli.login import lend
from callboard.agents.brains.cli.meter import Meter, priced_as
from callboard.agents.brains.cli.places import own_files, servers
from callboard.agents.brains.cli.recording import Recording
from callboard.agents.brains.cli.session import Session, conclude, doing, read_session, verdict_text
from callboard.agents.brains.command import plain_end
from callboard.agents.brains.prices import Prices
from callboard.agents.brains.prompt import (
    DONE_LINE,
    VERDICT_LINE,
    answer_line,
    inquiry_prompt,
    review_prompt,
    task_prompt,
)
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.commands import TIMED_OUT, Finished, run_command
from callboard.bus.clock import utc_now
from callboard.bus.errors import BrainError, CommandFailed

WILDCARDS = frozenset("*?[")
LINE_BYTES = 1024 * 1024
"""A tool's output is one line."""


@dataclass(frozen=True, slots=True)
class CliSettings:
    """What one agent's CLI is given."""

    model: str = ""
    """As the CLI calls it; "" = its own default."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables that it alone sees: its key, its server."""
    home: Path | None = None
    """Of the person who launched; the CLI's login is copied from there. None = it gets none."""


async def _no_report(line: str) -> None:
    """A reviewer's steps are shown to nobody."""


class CliBrain:
    """Runs an agent CLI once per attempt, review and question.

    Args:
        budget: What is reserved before and settled after each of its calls.
        open_log: The call log of an attempt or a review, for people to read: no session is resumed from it.
        prices: What its calls cost, for the log.
        redact: Takes secrets out of the log.
    """

    def __init__(
        self,
        adapter: Adapter,
        settings: CliSettings,
        budget: Budget,
        open_log: Callable[[AnyJob], CallFile],
        *,
        now: Callable[[], datetime] = utc_now,
        prices: Prices | None = None,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._adapter = adapter
        self._settings = settings
        self._budget = budget
        self._open_log = open_log
        self._now = now
        self._prices = prices or Prices()
        self._redact = redact

    async def work(self, job: Job, report: Report) -> Result:
        prompt = f"{task_prompt(job)}\n{DONE_LINE}\n"
        order = Order(prompt, "work", {}, self._settings.model, _named_files(job.spec.paths))
        finished, session = await self._run(job, order, report)
        if _timed_out(finished, job.seat):
            return Failed(f"stopped at its time limit of {job.seat.timeout_s:g} s; {_ending(finished)}")
        return conclude(session, _ending(finished), self._now())

    async def review(self, job: ReviewJob) -> RawVerdict:
        prompt = f"{review_prompt(job)}\n{VERDICT_LINE}\n"
        order = Order(prompt, "review", {}, self._settings.model, _named_files(job.request.spec.paths))
        finished, session = await self._run(job, order, _no_report)
        if _timed_out(finished, job.seat):
            raise BrainError(f"no verdict within {job.seat.timeout_s:g} s; {_ending(finished)}")
        return RawVerdict(verdict_text(session, _ending(finished), self._now()))

    async def answer(self, inquiry: Inquiry) -> RawAnswer:
        prompt = f"{inquiry_prompt(inquiry)}\n{answer_line(inquiry)}\n"
        finished, session = await self._run(inquiry, Order(prompt, "review", {}, self._settings.model, ()), _no_report)
        if _timed_out(finished, inquiry.seat):
            raise BrainError(f"no answer within {inquiry.seat.timeout_s:g} s; {_ending(finished)}")
        return RawAnswer(verdict_text(session, _ending(finished), self._now()))

    async def _run(self, job: AnyJob, order: Order, report: Report) -> tuple[Finished, Session]:
        """One session, from its start to the end of everything it started."""
        adapter, seat, task = self._adapter, job.seat, job.task
        env = {**seat.env, **self._settings.env}
        program = self._program(env)
        order = replace(order, env=env, is_confined=seat.sandbox.kind != "off")
        start = adapter.start(order)
        env |= {**start.env, "CALLBOARD_TASK": task, "CALLBOARD_AGENT": seat.agent, "CALLBOARD_RUN": seat.run}
        await run_to_end(self._lend_login, env)
        name = partial(priced_as, adapter, is_own_server=any(env.get(url) for url in adapter.base_url))
        recording = await self._recording(job)
        meter = Meter(self._budget, task, name(self._settings.model), name, recording.note)
        await meter.begin(order.prompt)
        recording.begin(order.prompt)

        async def on_line(line: str) -> None:
            for event in adapter.read(line):
                await run_to_end(recording.hear, event)
                await report(doing(event))
                if isinstance(event, told.Report):
                    await meter.report(event)

        finished: Finished | None = None
        try:
            finished = await run_command(
                (str(program), *start.argv[1:]),
                cwd=seat.cwd,
                env=env,
                timeout_s=seat.timeout_s,
                stdin=order.prompt.encode(),
                on_line=on_line,
                on_stderr_line=_no_report,
                line_bytes=LINE_BYTES,
                sandbox=seat.sandbox.allowing(
                    readable=own_files(program, self._settings.home, adapter.login), connect=servers(adapter, env)
                ),
            )
        except CommandFailed as error:
            raise BrainError(f"{adapter.program} of {seat.agent} cannot be run: {error}") from error
        finally:
            await run_to_end(self._clear, seat.cwd)
            await run_to_end(recording.exit, _exited(finished) if finished else "stopped")
        session = await run_to_end(read_session, adapter, finished.stdout)
        if session.end is not None and (not session.end.error or meter.is_complete):
            await meter.end()
        return finished, session

    async def _recording(self, job: AnyJob) -> Recording:
        """Behind what sessions of this attempt left that were broken off; what they used is settled now, if it was not."""
        log = await run_to_end(self._open_log, job)
        for record in log.rest():
            if isinstance(record, CallRecord) and record.reservation:
                await self._budget.settle(Reservation(record.reservation), record.usage)
        return Recording(log, self._adapter.name, self._now, self._redact, self._prices)

    def _program(self, env: Mapping[str, str]) -> Path:
        found = shutil.which(self._adapter.program, path=env.get("PATH"))
        if found is None:
            raise BrainError(
                f"{self._adapter.program} is not on PATH; install it ({self._adapter.install}), "
                "or give the agent a `command` or a `model` instead"
            )
        return Path(found)

    def _lend_login(self, env: Mapping[str, str]) -> None:
        if self._settings.home is not None and "HOME" in env:
            lend(self._adapter.login, self._settings.home, Path(env["HOME"]))

    def _clear(self, folder: Path) -> None:
        """What the CLI keeps for itself is no part of the work."""
        for name in self._adapter.litter:
            shutil.rmtree(folder / name, ignore_errors=True)


def _named_files(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a task's paths that name one file."""
    return tuple(path for path in paths if not WILDCARDS & set(path) and not path.endswith("/"))


def _timed_out(finished: Finished, seat: Seat) -> bool:
    return finished.result.exit_code == TIMED_OUT and finished.result.duration_s >= seat.timeout_s


def _ending(finished: Finished) -> str:
    tail = plain_end(finished.result.tail.encode())
    printed = f"the end of its output:\n{tail}" if tail else "it printed nothing"
    return f"{_exited(finished)}; {printed}"


def _exited(finished: Finished) -> str:
    return f"exited {finished.result.exit_code}"
