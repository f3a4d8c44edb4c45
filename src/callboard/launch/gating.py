"""The gate, run by a person: the same commands on the same tree, in a slot of its own, held by the same sandbox.

It works beside a roster that runs, and without one. What comes of it is told, and decides nothing: only the manager's own
gates are on the board.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from callboard.agents.manager.verdicts import profile_of
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.app import Workspace
from callboard.bus.board import Board, TaskDoc
from callboard.bus.clock import utc_now
from callboard.bus.errors import RosterError
from callboard.bus.hand_messages import GateFinished, GateProfile, GateRequested
from callboard.bus.messages import Draft, new_id
from callboard.bus.task import CommandResult, TaskSpec
from callboard.launch.exclude import exclude_ours
from callboard.launch.joining import open_bus
from callboard.launch.runs import runs
from callboard.launch.sandboxing import held_by, probe

TURN_S = 1.0
"""How long somebody else's gate by hand is waited for."""
HEAD = TaskSpec(key="person/head", title="the integration branch", agent="person")


@dataclass(frozen=True, slots=True)
class Subject:
    """What the gate is run on."""

    name: str
    """`T-3`, or the branch."""
    spec: TaskSpec
    base: str
    commit: str | None
    """None = the task changed nothing, so its checks run on `base`."""


async def run_gate(
    workspace: Workspace,
    task: str,
    profile: GateProfile | None,
    told: Callable[[str, CommandResult | None], None],
) -> tuple[Subject, GateProfile, GateFinished]:
    """Run it once, to a verdict.

    Args:
        task: The task whose work is judged; "" = the head of the integration branch.
        profile: None = as the task's category has it.
        told: Hears of each command before it runs, and what came of it.

    Raises:
        RosterError: There is nothing to judge, the sandbox cannot be had, or another gate is run by hand just now.
    """
    subject = await _subject(workspace, task)
    exclude_ours(workspace)
    held = held_by(workspace, await probe(workspace))
    lock = ProcessLock(workspace.layout.lock("gate-by-hand"))
    try:
        await acquire(lock, TURN_S)
    except RosterError:
        raise RosterError("somebody runs the gate by hand here now; wait for its end, then run it again") from None
    try:
        return await _judge(held, subject, profile, told)
    finally:
        lock.release()


async def _judge(
    workspace: Workspace,
    subject: Subject,
    profile: GateProfile | None,
    told: Callable[[str, CommandResult | None], None],
) -> tuple[Subject, GateProfile, GateFinished]:
    chosen = profile or profile_of(subject.spec)
    request = GateRequested(
        purpose="merge",
        spec=subject.spec,
        agent=subject.spec.agent,
        base=subject.base,
        commit=subject.commit,
        profile=chosen,
    )
    message = Draft("gate", request).stamp(id=new_id(), run="by-hand", sender="manager", now=utc_now())
    return subject, chosen, await workspace.gate("by-hand", by_hand=told).judge(message, request)


async def _subject(workspace: Workspace, task: str) -> Subject:
    known = runs(workspace.repository)
    if task:
        if not known:
            raise RosterError("nothing was launched here yet, so no task has work; `callboard gate --head` needs none")
        async with open_bus(workspace, known[-1]) as bus:
            return of_task(await bus.board(), task)
    project = workspace.settings.project
    # in a fresh clone, as a build server has it, no run is known: what is checked out is meant
    here = (name for name, folder in workspace.repository.checked_out().items() if folder == workspace.root)
    branch = project.integration.format(run=known[-1]) if known else next(here, "HEAD")
    commit = workspace.repository.resolve(branch if branch == "HEAD" else f"refs/heads/{branch}")
    if commit is None:
        raise RosterError(f"there is no branch {branch} to run the gate on")
    return Subject(branch, HEAD, base=commit, commit=commit)


def of_task(board: Board, id: str) -> Subject:
    """The work of a task as it stands: what was handed in last, else what was kept of it.

    Raises:
        RosterError: There is no such task, or nothing of it yet.
    """
    task = board.task(id)
    if not task.version:
        raise RosterError(f"no task {id!r} on the board; `callboard status --all` lists them")
    if commit := task.head or task.landed or task.pin:
        return Subject(id, task.task, base=task.base or board.run.base, commit=commit)
    if not task.base or not _changed_nothing(task):
        raise RosterError(f"{id} has handed in nothing yet; `callboard gate --head` runs the gate on what has landed")
    return Subject(id, task.task, base=task.base, commit=None)


def _changed_nothing(task: TaskDoc) -> bool:
    """It handed in evidence alone."""
    return bool(task.gate_hash or task.review)
