"""The gate: takes in what was handed in, then runs checks and gate on exactly that tree, in a slot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from loguru import logger

from callboard.agents.manager.decision import TOOLS_RULE, Policy
from callboard.agents.manager.intake import IntakeRules, TakenIn, judge_unfinished, take_in
from callboard.agents.manager.verdicts import gate_hash, profile_of, project_gate
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.commands import TIMED_OUT
from callboard.agents.workspace.confine import UNAVAILABLE
from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.layout import Layout
from callboard.agents.workspace.slots import GateSlots, Slot
from callboard.bus.errors import ApprovalNeeded, CommandFailed, IntakeRefused, WorkspaceError
from callboard.bus.messages import Envelope, GateFinished, GateRequested, PinRequested
from callboard.bus.task import CommandResult
from callboard.directions import demands

RED_RUNS: Mapping[str, int] = {"evidence": 2, "merge": 3}
"""How often in a row a command has to fail on one tree before the tree counts as red. Where one run in ten fails for nothing,
two runs would evict one good branch of a hundred from the merge queue, three one of a thousand; what is handed in only goes
back to its driver, who is at it anyway. A command that was stopped at its time limit gets two runs: a third takes too long."""
NOT_RUN = frozenset({UNAVAILABLE, 126, 127})
"""Exit codes of a sandbox that could not be had, and of /bin/sh for a program that cannot be run or is not there: no verdict
on the tree."""


ToolsCalled = Callable[[str, int, str], Collection[str] | None]
"""Task, attempt, agent -> names of the tools that were called with success; None: nothing was recorded."""


def nothing_recorded(task: str, attempt: int, agent: str) -> None:
    return None


Told = Callable[[str, CommandResult | None], None]
"""Hears of each command before it runs (None), and what came of it."""


def nobody_is_told(command: str, result: CommandResult | None) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Gate:
    """What the gate works with.

    Args:
        rules: Intake's rules, without a task's paths.
        sleep: Waits this many seconds.
        called: What the runtime recorded of an attempt's tools.
    """

    run: str
    layout: Layout
    repository: Repository
    slots: GateSlots
    policy: Policy
    rules: IntakeRules
    timeout_s: float
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    called: ToolsCalled = nothing_recorded
    told: Told = nobody_is_told
    tries: int = 3
    """How often a gate that could not run is tried."""
    backoff_s: float = 1.0
    """Before the second try; doubled before each later one."""

    def pin(self, message: Envelope, request: PinRequested) -> None:
        """Keep unfinished work where it outlives the agent's vault, as far as intake would let it in; what it refuses
        stays in the vault. Nothing lands from either place."""
        vault = self._vault(request.agent)
        source = next((ref for ref, sha in vault.refs("refs/wip").items() if sha == request.commit), "")
        if not source:
            return
        try:
            judge_unfinished(vault, request.base, request.commit, self.rules)
        except IntakeRefused as refusal:
            logger.warning("unfinished work stays in the vault", agent=request.agent, reason=str(refusal))
            return
        into = f"refs/callboard/{self.run}/wip/{message.task}/{message.attempt}"
        self.repository.fetch_commit(self.layout.vault(request.agent), source, request.commit, into)

    async def judge(self, message: Envelope, request: GateRequested) -> GateFinished:
        """Intake if it was handed in, then checks and gate.

        Returns:
            The verdict; `infrastructure` when nothing can be said about the tree.
        """
        finished = GateFinished(purpose=request.purpose, verdict="infrastructure", commit=request.commit)
        try:
            taken = await run_to_end(self._take_in, message, request)
            await run_to_end(self._judge_tools, message, request)
        except ApprovalNeeded as needed:
            return finished.model_copy(update={"verdict": "approval", "permits": needed.permits})
        except IntakeRefused as refusal:
            told = {"verdict": "refused", "rule": refusal.rule, "path": refusal.path, "reason": refusal.way_out}
            return finished.model_copy(update=told)
        except WorkspaceError as error:
            return finished.model_copy(update={"reason": f"intake: {error}"})
        policy = self.policy if request.commit else replace(self.policy, gate=(), strict=(), lint=())
        profile = request.profile or profile_of(request.spec)
        commands = (*request.spec.checks, *project_gate(policy, profile))
        lint = policy.lint if request.purpose == "evidence" else ()
        ran = await self._run(taken.commit, commands, lint, request.purpose)
        if ran.broke and await self._is_due_to_tree(ran, request, taken.commit):
            ran = replace(ran, verdict="red")
        return finished.model_copy(
            update={
                "verdict": ran.verdict,
                "reason": ran.reason,
                "commands": ran.results,
                "flaky": ran.flaky,
                "lint": ran.lint,
                "tree": taken.tree,
                "files": taken.files,
                "gate_hash": gate_hash(policy, request.spec, profile),
            }
        )

    def _take_in(self, message: Envelope, request: GateRequested) -> TakenIn:
        commit = request.commit
        if request.purpose == "merge" or commit is None:
            subject = commit or request.base
            changes = self.repository.changes(request.base, subject)
            return TakenIn(subject, self.repository.tree_of(subject), tuple(change.path for change in changes))
        return take_in(
            self._vault(request.agent),
            self.repository,
            base=request.base,
            commit=commit,
            rules=replace(self.rules, paths=request.spec.paths, permits=request.permits),
            pin=f"refs/callboard/{self.run}/tasks/{message.task}/{message.attempt}",
            branch=f"{request.agent}/work",
        )

    def _judge_tools(self, message: Envelope, request: GateRequested) -> None:
        """What was called is taken from what the runtime wrote down, never from what the agent says.

        Raises:
            IntakeRefused: Something was not called that had to be.
        """
        if not request.tools or request.purpose != "evidence":
            return
        called = self.called(message.task, message.attempt, request.agent)
        lacks = demands.missing(request.tools, called or ())
        if lacks:
            raise IntakeRefused(TOOLS_RULE, "", way_to_tools(lacks, request.agent, called))

    def _vault(self, agent: str) -> Repository:
        return Repository(self.layout.clone(agent), git_dir=self.layout.vault(agent))

    async def _run(
        self, commit: str, commands: tuple[str, ...], lint: tuple[str, ...], purpose: Literal["evidence", "merge"]
    ) -> Ran:
        """What is to land goes first: else new work, which is handed in faster than it is gated, would keep old work out."""
        ran = Ran("infrastructure", "no gate ran")
        for attempt in range(self.tries):
            if attempt:
                await self.sleep(self.backoff_s * 2 ** (attempt - 1))
            try:
                async with self.slots.take(goes_first=purpose == "merge") as slot:
                    await slot.switch(commit)
                    ran = await self._commands(slot, commit, commands, RED_RUNS[purpose])
                    if ran.verdict == "green":
                        ran = replace(ran, lint=tuple([await self._command(slot, command) for command in lint]))
            except CommandFailed as error:
                ran = Ran("infrastructure", str(error), broke="setup")
            except (WorkspaceError, OSError) as error:
                ran = Ran("infrastructure", str(error))
            if ran.verdict != "infrastructure":
                return ran
        return ran

    async def _is_due_to_tree(self, ran: Ran, request: GateRequested, commit: str) -> bool:
        """Whether what could not run on a tree can on its base: then the change broke it, and nobody else need look.

        A check that cannot run is its task's trouble alone: it must not stop the roster.
        """
        command = ran.results[-1].command if ran.broke == "command" else ""
        if command in request.spec.checks:
            return True
        if request.base == commit:
            return False
        try:
            async with self.slots.take() as slot:
                await slot.switch(request.base)
                if not command:
                    return True
                result = (await slot.run(command, timeout_s=self.timeout_s)).result
                return result.exit_code not in NOT_RUN
        except (WorkspaceError, OSError):
            return False

    async def _commands(self, slot: Slot, commit: str, commands: tuple[str, ...], runs: int) -> Ran:
        """Run them in order up to the first that stays red, over so many runs."""
        results: list[CommandResult] = []
        for command in commands:
            result = await self._confirmed(slot, commit, command, runs)
            results.append(result)
            if result.exit_code in NOT_RUN:
                reason = f"`{command}` could not be run: {result.tail.strip()}"
                return Ran("infrastructure", reason, tuple(results), broke="command")
            if not result.passed:
                return Ran("red", "", tuple(results))
        return Ran("green", "", tuple(results), any(result.flaky for result in results))

    async def _confirmed(self, slot: Slot, commit: str, command: str, runs: int) -> CommandResult:
        """A command that fails is run again, each time in a fresh tree: a pass then is a flake."""
        result, count = await self._command(slot, command), 1
        while not result.passed and result.exit_code not in NOT_RUN:
            if count == (min(runs, 2) if result.exit_code == TIMED_OUT else runs):
                break
            await slot.switch(commit)
            result, count = await self._command(slot, command), count + 1
        return result.model_copy(update={"flaky": result.passed and count > 1})

    async def _command(self, slot: Slot, command: str) -> CommandResult:
        self.told(command, None)
        result = (await slot.run(command, timeout_s=self.timeout_s)).result
        self.told(command, result)
        return result


def way_to_tools(lacks: Collection[str], agent: str, called: Collection[str] | None) -> str:
    """What a driver, and whoever reads its log, can do about tools that were not called."""
    names = ", ".join("a tool of an MCP server" if name == demands.ANY else f"`{name}`" for name in lacks)
    asked = f"its direction demands a successful call of {names} in the attempt that is handed in"
    if called is None:
        return (
            f"{asked}, and nothing records the tools of {agent}: give it a model and the server in callboard.toml, "
            "or take the demand out of the direction"
        )
    had = ", ".join(f"`{name}`" for name in sorted(called)[:20]) or "nothing"
    return f"{asked}, and what was called with success is {had}: call it before you hand in, or say `blocked`"


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of running checks and gate on one tree."""

    verdict: Literal["green", "red", "infrastructure"]
    reason: str
    results: tuple[CommandResult, ...] = ()
    flaky: bool = False
    broke: Literal["", "setup", "command"] = ""
    """What could not run, where the tree itself may be why; a command is the last of the results."""
    lint: tuple[CommandResult, ...] = ()
