"""Where a reviewer works: its checkout of what is judged, and what can be done there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from callboard.agents.brains.brain import Seat
from callboard.agents.reviewer.proof import Where, prove
from callboard.agents.reviewer.quotes import verify
from callboard.agents.reviewer.requirements import held_against, requirements_of
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.setup import Setup
from callboard.bus.errors import CommandFailed
from callboard.bus.messages import ReviewRequest
from callboard.bus.reviews import Verdict
from callboard.bus.task import CommandResult

MAX_DIFF = 400_000
"""Bytes of a diff that a brain is given; the checkout has the rest."""
LEAST_S = 0.1
"""What is given to what begins just before the deadline."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a reviewer works with."""

    seat: Seat
    """Its `timeout_s` is the longest one answer may take; the request's deadline may leave less."""
    clone: AgentClone
    """The reviewer's own, never the driver's."""
    repository: Repository
    """The user's, in which what is judged is pinned."""
    setup: Setup = field(default_factory=Setup)
    """The project's, for commands of findings; it runs where its inputs changed since it last ran in the clone."""

    def prepare(self, request: ReviewRequest) -> str:
        """Check out what is judged; without code that is the base, where commands can be run again.

        Returns:
            The diff.
        """
        self.clone.prepare(judged(request))
        return read_diff(self.repository, request) if request.commit else ""

    async def checked(self, verdict: Verdict, request: ReviewRequest, left_s: Callable[[], float]) -> Verdict:
        """The verdict with what the tree, the requirements and the commands make of its findings.

        Quotes are held against the pinned commit as git has it, not against the checkout a brain could change.
        """
        known = request.requirements or requirements_of(request.spec)
        held = [held_against(finding, known) for finding in verdict.findings]
        findings = await run_to_end(verify, held, lambda path: self.repository.read(judged(request), path))
        if request.commit:
            findings = await prove(findings, _Runs(self, request, left_s).run, left_s)
        return verdict.model_copy(update={"findings": findings})


@dataclass(frozen=True, slots=True)
class _Runs:
    """Runs commands of one verdict's findings: each in a fresh checkout, so that neither the brain nor an earlier
    command has changed it, and set up, as gate slots are: what misses it would say nothing about the tree."""

    bench: Bench
    request: ReviewRequest
    left_s: Callable[[], float]
    failed: dict[Where, CommandFailed] = field(default_factory=dict)
    """Setups that failed; they are not tried again for the next command."""

    async def run(self, where: Where, command: str, timeout_s: float) -> CommandResult:
        clone, seat = self.bench.clone, self.bench.seat
        if where in self.failed:
            raise self.failed[where]
        await run_to_end(clone.prepare, judged(self.request) if where == "reviewed" else self.request.base)
        try:
            setup = self.bench.setup
            limited = replace(setup, timeout_s=min(setup.timeout_s, max(self.left_s(), LEAST_S)))
            await clone.set_up(limited, seat.env, seat.sandbox)
        except CommandFailed as error:
            at = "what is reviewed" if where == "reviewed" else "the base"
            self.failed[where] = CommandFailed(f"setup failed on {at}: {error}")
            raise self.failed[where] from error
        limit_s = min(timeout_s, max(self.left_s(), LEAST_S))
        done = await run_command(
            command, cwd=seat.cwd, env=seat.env, sandbox=seat.sandbox, timeout_s=limit_s, merge_stderr=True
        )
        return done.result


def judged(request: ReviewRequest) -> str:
    return request.commit or request.base


def read_diff(repository: Repository, request: ReviewRequest) -> str:
    """The diff as text, cut at MAX_DIFF and saying so."""
    assert request.commit is not None
    raw = repository.diff(request.base, request.commit)
    shown = raw[:MAX_DIFF].decode("utf-8", "replace")
    left = len(raw) - MAX_DIFF
    return shown if left <= 0 else f"{shown}\n[cut: {left} more bytes; the checkout has all of it]\n"
