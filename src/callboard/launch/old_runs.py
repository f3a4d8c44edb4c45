"""What the bus still holds of runs that are over, and which of it may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callboard.agents.workspace.git import Repository
from callboard.agents.workspace.locks import ProcessLock, acquire
from callboard.app import Workspace
from callboard.bus.board import Board, TaskState
from callboard.bus.bus import Bus
from callboard.bus.settings import EMBEDDED
from callboard.launch.inboxes import inboxes
from callboard.launch.joining import TURN_S
from callboard.launch.runs import PREFIX
from callboard.launch.serving import serving

ENDED = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class OldRun:
    """One run's data on the bus."""

    run: str
    size: int
    """Bytes in the server's memory."""
    why_not: str
    """Why it stays; "" = it can go."""


async def clear(workspace: Workspace, runs: Sequence[str], *, dry_run: bool) -> list[OldRun]:
    """Remove what may go of these runs, with the ref of each that nothing else is kept under. For a stopped roster.

    Args:
        runs: Without the newest.

    Raises:
        BusUnavailable: No server answered.
    """
    if not runs:
        return []
    turn = ProcessLock(workspace.layout.lock("command"))
    await acquire(turn, TURN_S)
    try:
        async with serving(workspace, lambda _: None) as url:
            found = [await _clear(url, workspace, run, dry_run=dry_run) for run in runs]
            if workspace.settings.bus.url == EMBEDDED and not dry_run and any(not old.why_not for old in found if old):
                await _compact(url, runs[0])
    finally:
        turn.release()
    return [old for old in found if old is not None]


async def _compact(url: str, run: str) -> None:
    bus = await Bus.connect(url, run)
    try:
        await bus.data.compact()
    finally:
        await bus.close()


async def _clear(url: str, workspace: Workspace, run: str, *, dry_run: bool) -> OldRun | None:
    bus = await Bus.connect(url, run)
    try:
        board = await bus.board()
        names = inboxes(board)
        size = await bus.data.size(names)
        if not size:
            return None
        goal = workspace.repository.resolve(f"refs/heads/{workspace.settings.project.target}")
        why_not = why_it_stays(board, len(await bus.dead()), workspace.repository, goal)
        if not why_not and not dry_run:
            await bus.data.remove(names)
            _forget(workspace.repository, run)
    finally:
        await bus.close()
    return OldRun(run, size, why_not)


def why_it_stays(board: Board, dead: int, repository: Repository, goal: str | None) -> str:
    """Why what the bus holds of a run is still needed; "" when all of it is elsewhere.

    Args:
        dead: How many dead letters it has.
        goal: The commit of the target branch.
    """
    run = board.run
    if run.state not in ENDED:
        return f"it has not ended, it is {run.state}"
    if dead:
        return f"it has {dead} dead letters that nobody has decided about: `callboard dead`"
    if run.head != run.base and (goal is None or not _contains(repository, goal, run.head)):
        return f"{run.target} does not contain what it landed: promote or merge it"
    only_here = [task.id for task in board.tasks() if task.state is TaskState.DONE and task.attempt and not task.landed]
    if only_here:
        return f"later runs know from it alone that {', '.join(only_here[:3])} is done: nothing of it landed"
    return ""


def _contains(repository: Repository, goal: str, head: str) -> bool:
    return repository.resolve(head) is not None and repository.is_ancestor(head, goal)


def _forget(repository: Repository, run: str) -> None:
    """Without data and pins nothing is left to list."""
    refs = repository.refs(f"{PREFIX}/{run}")
    base = f"{PREFIX}/{run}/base"
    if [*refs] == [base]:
        repository.delete_ref(base, refs[base])
