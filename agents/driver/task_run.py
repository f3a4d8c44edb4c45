"""One attempt at one task: prepare the clone, let the brain work, hand in or keep what it left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from callboard.agents.brains.answer import plain
from callboard.agents.brains.brain import Asked, Blocked, Done, Failed, Job, Parked, Result, Seat, Worker
from callboard.agents.brains.budget import reached_by
from callboard.agents.driver import entries
from callboard.agents.driver.entries import HandIn, Kept
from callboard.agents.driver.message import hand_in_message
from callboard.agents.driver.progress import Progress
from callboard.agents.driver.pulse import Pulse, change_digest
from callboard.agents.driver.stop import Stop, Stopped, until_stopped
from callboard.agents.manager.decision import MANAGER
from callboard.agents.runtime import Work
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.clone import HANDIN, WIP, AgentClone
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.git import Person
from callboard.agents.workspace.sandbox import Sandbox
from callboard.agents.workspace.setup import Setup, fingerprint, forget, recorded
from callboard.bus.errors import BrainError, BrainParked, BudgetSpent, CommandFailed, WorkspaceError
from callboard.bus.messages import Draft, Outcome, TaskAssigned, TaskProgressed
from callboard.bus.task import CommandResult, Note

OVERTIME_S = 60.0
"""A brain keeps its own time limit; one that does not even end its processes within this is cancelled."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a driver works with."""

    seat: Seat
    clone: AgentClone
    setup: Setup = field(default_factory=Setup)
    check_timeout_s: float = 600.0
    """For each of the task's checks."""
    progress_every_s: float = 2.0
    """The shortest time between two `task.progressed`."""
    measure_every_s: float = 60.0
    """How often what the clone holds is measured: one look at its files."""
    resumes: bool = False
    """Whoever thinks may outlive an interruption, so what the attempt had made lies in the clone again after one."""


class TaskRun:
    """Used once: one delivery of one `task.assigned`."""

    def __init__(
        self, post: Post, brain: Worker, work: Work, assigned: TaskAssigned, stop: Stop, now: Callable[[], datetime]
    ) -> None:
        self._post = post
        self._brain = brain
        self._work = work
        self._assigned = assigned
        self._stop = stop
        self._now = now
        self._agent = post.seat.agent
        self._task = work.envelope.task
        self._attempt = work.envelope.attempt
        self._work_name = f"{post.seat.run}/{self._task}/{self._attempt}"
        """Task ids begin anew with each run, and a vault outlives a run."""
        self._is_ours = False
        """What is in the clone was made for this attempt."""

    async def run(self) -> Outcome:
        """What the attempt leads to; an attempt that cannot be made at all has failed."""
        agent, assigned = self._agent, self._assigned
        try:
            result = await self._work_on_it()
            match result:
                case Done():
                    return entries.evidence(agent, assigned, await self._hand_in(result), result)
                case Blocked():
                    return entries.blocked(agent, assigned, result, await self._keep())
                case Asked():
                    return entries.asked(agent, assigned, result, await self._keep())
                case Failed():
                    self._doubt_setup()
                    return entries.failed(agent, assigned, result, await self._keep())
                case Parked():
                    return entries.parked(agent, assigned, result, await self._keep())
        except Stopped as stopped:
            return entries.stopped(agent, assigned, str(stopped), await self._keep())
        except BrainParked as error:
            it = Parked(error.cause, plain(str(error), 2_000), error.until)
            return entries.parked(agent, assigned, it, await self._keep())
        except BudgetSpent as error:
            it = Parked("budget", plain(str(error), 2_000), reached=reached_by(error))
            return entries.parked(agent, assigned, it, await self._keep())
        except (BrainError, WorkspaceError) as error:
            cause: Literal["brain", "environment"] = "brain" if isinstance(error, BrainError) else "environment"
            return entries.failed(agent, assigned, Failed(plain(str(error), 2_000), cause), await self._keep())

    async def _work_on_it(self) -> Result:
        self._stop.check()
        clone, goes_on = self._post.clone, self._post.resumes and self._work.deliveries > 1
        held = await run_to_end(clone.held, self._work_name) if goes_on else None
        await run_to_end(clone.prepare, self._assigned.start, self._work_name)
        if held is not None:
            await run_to_end(clone.lay, held)
        self._is_ours = True
        return await self._think((*self._assigned.notes, *await self._set_up()))

    async def _set_up(self) -> tuple[Note, ...]:
        """A setup that fails is the brain's to know: mending it may be the task."""
        seat = self._post.seat
        try:
            await until_stopped(self._post.clone.set_up(self._post.setup, seat.env, seat.sandbox), self._stop)
        except CommandFailed as error:
            return (Note(source="driver", text=plain(str(error), 2_000)),)
        return ()

    async def _think(self, notes: tuple[Note, ...]) -> Result:
        seat = self._post.seat
        job = Job(
            seat=seat,
            task=self._task,
            attempt=self._attempt,
            spec=self._assigned.spec,
            briefing=self._assigned.briefing,
            base=self._assigned.base,
            notes=notes,
        )
        progress = Progress(self._tell, every_s=self._post.progress_every_s)
        pulse = Pulse(progress, self._measure, self._tell_measure, every_s=self._post.measure_every_s)
        try:
            async with asyncio.timeout(seat.timeout_s + OVERTIME_S):
                return await until_stopped(self._brain.work(job, pulse.report), self._stop, pulse)
        except TimeoutError:
            return Failed(f"stopped: it went on after its time limit of {seat.timeout_s:g} s")

    async def _tell(self, doing: str) -> None:
        await self._work.emit(Draft(MANAGER, TaskProgressed(doing=doing)))

    async def _measure(self) -> str:
        return await run_to_end(self._post.clone.checkout.snapshot, self._assigned.start)

    async def _tell_measure(self, diff: str, quiet_s: float) -> None:
        await self._work.emit(Draft(MANAGER, TaskProgressed(diff=diff, quiet_s=quiet_s)))

    async def _hand_in(self, done: Done) -> HandIn:
        """Commit first, then run the checks: what they leave in the clone is no part of the work."""
        if done.commit:
            await run_to_end(self._post.clone.lay, done.commit)
        head = await run_to_end(self._commit)
        commands = (*await self._renew_setup(head), *await self._check())
        if not all(result.passed for result in commands):
            self._doubt_setup()
        files, left_out, diff = await run_to_end(self._look, head)
        return HandIn(head, files, commands, left_out, diff)

    def _commit(self) -> str | None:
        clone, assigned = self._post.clone, self._assigned
        ref = f"{HANDIN}/{self._work_name}"
        before = clone.vault.resolve(ref)
        if before is not None:
            # an interrupted delivery handed this in already; the ref is about to move, the work stays
            clone.vault.update_ref(f"{WIP}/{self._work_name}.{before[:12]}", before, None)
        message = hand_in_message(
            assigned.spec,
            prefix=assigned.briefing.prefix,
            task=self._task,
            agent=self._agent,
            attempt=self._attempt,
        )
        author = Person(self._agent, f"{self._agent}@localhost")
        return clone.hand_in(ref, assigned.base, message, author, self._now())

    async def _renew_setup(self, head: str | None) -> tuple[CommandResult, ...]:
        """Set up again what the work itself has made out of date; only a command that fails is evidence."""
        setup, checkout = self._post.setup, self._post.clone.checkout
        files = await run_to_end(checkout.git.entries, head or self._assigned.base)
        if not setup.commands or fingerprint(setup, files) == recorded(checkout).fingerprint:
            return ()
        self._doubt_setup()
        for command in setup.commands:
            result = await self._run(command, setup.timeout_s, setup.may_connect(self._post.seat.sandbox))
            if not result.passed:
                return (result,)
        return ()

    def _doubt_setup(self) -> None:
        """Let setup run before the next attempt: this one may have changed or broken what it made."""
        forget(self._post.clone.checkout)

    async def _check(self) -> tuple[CommandResult, ...]:
        timeout_s, sandbox = self._post.check_timeout_s, self._post.seat.sandbox
        return tuple([await self._run(command, timeout_s, sandbox) for command in self._assigned.spec.checks])

    async def _run(self, command: str, timeout_s: float, sandbox: Sandbox) -> CommandResult:
        seat = self._post.seat
        running = run_command(
            command, cwd=seat.cwd, env=seat.env, sandbox=sandbox, timeout_s=timeout_s, merge_stderr=True
        )
        return (await until_stopped(running, self._stop)).result

    def _look(self, head: str | None) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        """Changed paths, what the clone holds that no commit does, and a digest of the change."""
        clone = self._post.clone
        changes = clone.vault.changes(self._assigned.base, head) if head else ()
        left_out = (*clone.left_out(), *clone.stray_refs())
        files = tuple(plain(change.path, 4_096) for change in changes)
        return files, tuple(plain(name, 4_096) for name in left_out), change_digest(changes)

    async def _keep(self) -> Kept:
        if not self._is_ours:
            return Kept()
        try:
            return Kept(await run_to_end(self._post.clone.park, f"{self._post.seat.run}/{self._task}", self._attempt))
        except WorkspaceError as error:
            return Kept(problem=plain(str(error), 500))
