"""A brain that is an agent CLI: headless, in an environment that is said here, read by its events (docs/clis.md)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from callboard.agents.brains.brain import Failed, Job, RawVerdict, Report, Result, ReviewJob, Seat
from callboard.agents.brains.budget import Budget
from callboard.agents.brains.cli import adapter as told
from callboard.agents.brains.cli.adapter import Adapter, Order
from callboard.agents.brains.cli.login import lend
from callboard.agents.brains.cli.meter import Meter, priced_as
from callboard.agents.brains.cli.places import own_files, servers
from callboard.agents.brains.cli.session import Session, conclude, doing, read_session, verdict_text
from callboard.agents.brains.command import plain_end
from callboard.agents.brains.prompt import DONE_LINE, VERDICT_LINE, review_prompt, task_prompt
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.commands import TIMED_OUT, Finished, run_command
from callboard.bus.errors import BrainError, CommandFailed

WILDCARDS = frozenset("*?[")


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
    """Runs an agent CLI once per attempt and once per review.

    Args:
        budget: What is reserved before and settled after each of its calls.
    """

    def __init__(self, adapter: Adapter, settings: CliSettings, budget: Budget) -> None:
        self._adapter = adapter
        self._settings = settings
        self._budget = budget

    async def work(self, job: Job, report: Report) -> Result:
        prompt = f"{task_prompt(job)}\n{DONE_LINE}\n"
        order = Order(prompt, "work", {}, self._settings.model, _named_files(job.spec.paths))
        finished, session = await self._run(job.seat, job.task, order, report)
        if _timed_out(finished, job.seat):
            return Failed(f"stopped at its time limit of {job.seat.timeout_s:g} s; {_ending(finished)}")
        return conclude(session, _ending(finished))

    async def review(self, job: ReviewJob) -> RawVerdict:
        prompt = f"{review_prompt(job)}\n{VERDICT_LINE}\n"
        order = Order(prompt, "review", {}, self._settings.model, _named_files(job.request.spec.paths))
        finished, session = await self._run(job.seat, job.task, order, _no_report)
        if _timed_out(finished, job.seat):
            raise BrainError(f"no verdict within {job.seat.timeout_s:g} s; {_ending(finished)}")
        return RawVerdict(verdict_text(session, _ending(finished)))

    async def _run(self, seat: Seat, task: str, order: Order, report: Report) -> tuple[Finished, Session]:
        """One session, from its start to the end of everything it started."""
        adapter = self._adapter
        env = {**seat.env, **self._settings.env}
        program = self._program(env)
        order = replace(order, env=env, is_confined=seat.sandbox.kind != "off")
        start = adapter.start(order)
        env |= {**start.env, "CALLBOARD_TASK": task, "CALLBOARD_AGENT": seat.agent, "CALLBOARD_RUN": seat.run}
        await run_to_end(self._lend_login, env)
        name = partial(priced_as, adapter, is_own_server=any(env.get(url) for url in adapter.base_url))
        meter = Meter(self._budget, task, name(self._settings.model), name)
        await meter.begin(order.prompt)

        async def on_line(line: str) -> None:
            for event in adapter.read(line):
                await report(doing(event))
                if isinstance(event, told.Report):
                    await meter.report(event)

        try:
            finished = await run_command(
                (str(program), *start.argv[1:]),
                cwd=seat.cwd,
                env=env,
                timeout_s=seat.timeout_s,
                stdin=order.prompt.encode(),
                on_line=on_line,
                on_stderr_line=_no_report,
                sandbox=seat.sandbox.allowing(
                    readable=own_files(program, self._settings.home, adapter.login), connect=servers(adapter, env)
                ),
            )
        except CommandFailed as error:
            raise BrainError(f"{adapter.program} of {seat.agent} cannot be run: {error}") from error
        finally:
            await run_to_end(self._clear, seat.cwd)
        session = await run_to_end(read_session, adapter, finished.stdout)
        if session.end is not None and (not session.end.error or meter.is_complete):
            await meter.end()
        return finished, session

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
    return f"exited {finished.result.exit_code}; {printed}"
