"""Where a reviewer works: its checkout of what is judged, and what can be done there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from callboard.agents.brains.brain import Seat
from callboard.agents.reviewer.proof import prove
from callboard.agents.reviewer.quotes import verify
from callboard.agents.reviewer.requirements import held_against, requirements_of
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.clone import AgentClone
from callboard.agents.workspace.commands import run_command
from callboard.agents.workspace.git import Repository
from callboard.bus.messages import ReviewRequest
from callboard.bus.reviews import Verdict
from callboard.bus.task import CommandResult

MAX_DIFF = 400_000
"""Bytes of a diff that a brain is given; the checkout has the rest."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a reviewer works with."""

    seat: Seat
    """Its `timeout_s` is the longest one answer may take; the request's deadline may leave less."""
    clone: AgentClone
    """The reviewer's own, never the driver's."""
    repository: Repository
    """The user's, in which what is judged is pinned."""

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
            findings = await prove(findings, lambda *given: self._run(request, *given), left_s)
        return verdict.model_copy(update={"findings": findings})

    async def _run(
        self, request: ReviewRequest, where: Literal["reviewed", "base"], command: str, timeout_s: float
    ) -> CommandResult:
        """In a fresh checkout each time: neither the brain nor an earlier command is to have changed it."""
        await run_to_end(self.clone.prepare, judged(request) if where == "reviewed" else request.base)
        seat = self.seat
        done = await run_command(
            command, cwd=seat.cwd, env=seat.env, sandbox=seat.sandbox, timeout_s=timeout_s, merge_stderr=True
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
