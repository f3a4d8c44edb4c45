"""Which run a launch works on: the unfinished one, or a new one from the target or on top of an earlier run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from loguru import logger

from callboard.agents.manager.decision import open_tasks, was_stopped
from callboard.agents.workspace.git import Repository
from callboard.app import Workspace
from callboard.bus.board import Board, RunDoc, TaskState
from callboard.bus.bus import Bus
from callboard.bus.clock import utc_now
from callboard.bus.errors import RosterError
from callboard.bus.issue_caps import Safety
from callboard.launch.archiving import bring_archive_up

PREFIX = "refs/callboard"
OUTSIDE = "outside"
"""The ref that marks a run as one that was started from outside."""
KEY, DIGEST = "Task-Key", "Task-Digest"


@dataclass(frozen=True, slots=True)
class Continue:
    run: str


@dataclass(frozen=True, slots=True)
class Start:
    """A new run."""

    start_from: str
    """`target`, or the run whose integration branch it starts on top of."""


def choose(latest: Board | None, *, new: bool, start_from: str) -> Continue | Start:
    """Continue the last run until its work is promoted, or while it has open tasks that a person stopped at its cap; landed
    work is left behind only when that was said.

    Args:
        latest: The last run's board; None before the first.

    Raises:
        RosterError: A new run is wanted while the last one's landings are not promoted, and nothing says where from.
    """
    if latest is None:
        return Start(start_from or "target")
    run = latest.run
    ended = run.state in ("succeeded", "failed", "cancelled") and not (was_stopped(latest) and open_tasks(latest))
    waits = run.head not in (run.base, run.promoted)
    if not (new or start_from) and (not ended or (waits and run.state != "cancelled")):
        return Continue(run.id)
    if waits and not start_from:
        raise RosterError(
            f"run {run.id} has landed work that is not promoted: promote it (`callboard promote`), start on top of "
            f"it (`callboard launch --new --from {run.id}`), or leave it (`callboard launch --new --from target`)"
        )
    return Start(start_from or "target")


def runs(repository: Repository) -> list[str]:
    """The launched runs of this repository, oldest first: their names begin with their time."""
    return told_apart(repository)[0]


def told_apart(repository: Repository) -> tuple[list[str], list[str]]:
    """The launched runs, as `runs` gives them, and those from outside, as `outside_runs` does: git is asked once."""
    refs = repository.refs(PREFIX)
    outside = _named(refs, OUTSIDE)
    return sorted(_named(refs, "base") - outside), sorted(outside)


def outside_runs(repository: Repository) -> list[str]:
    """Those that were started from outside, by name: what a launch goes on with is never one of them (decision 0042)."""
    return told_apart(repository)[1]


def _named(refs: Iterable[str], last: str) -> set[str]:
    return {ref.split("/")[2] for ref in refs if ref.endswith(f"/{last}")}


def new_name(taken: list[str]) -> str:
    """Such as `20261121-091407`, in UTC; sortable, and the same nowhere else but by an unlikely chance."""
    name = f"{utc_now():%Y%m%d-%H%M%S}"
    n = 2
    unique = name
    while unique in taken:
        unique, n = f"{name}-{n}", n + 1
    return unique


def start_commit(workspace: Workspace, start_from: str) -> str:
    """Where a new run starts.

    Raises:
        RosterError: There is no such run or target branch.
    """
    project = workspace.settings.project
    known = runs(workspace.repository)
    if start_from != "target" and start_from not in known:
        raise RosterError(
            f"no run {start_from!r} here; --from takes `target` or one of: {', '.join(known) or 'none yet'}"
        )
    branch = project.target if start_from == "target" else project.integration.format(run=start_from)
    commit = workspace.repository.resolve(f"refs/heads/{branch}")
    if commit is None:
        raise RosterError(f"there is no branch {branch} to start from; create it, or choose another with --from")
    return commit


async def create(bus: Bus, workspace: Workspace, base: str, goal: str = "", safety: Safety = "normal") -> None:
    """Make the run `bus.run`: branch, ref, board. It may be repeated after a crash in the middle."""
    project, run = workspace.settings.project, bus.run
    integration = project.integration.format(run=run)
    for ref in (f"refs/heads/{integration}", f"{PREFIX}/{run}/base"):
        if not workspace.repository.update_ref(ref, base, None) and workspace.repository.resolve(ref) != base:
            raise RosterError(
                f"{ref} exists already on another commit; delete it, or launch again for another run name"
            )
    doc = RunDoc(
        id=run,
        base=base,
        head=base,
        integration=integration,
        target=project.target,
        goal=goal,
        safety=safety,
        created_at=utc_now(),
    )
    if not await bus.create_run(doc):
        raise RosterError(f"the bus knows another run called {run}; launch again for another name")


async def ensure_run(workspace: Workspace) -> str:
    """The newest run; a first one, where nothing was launched here yet."""
    from callboard.launch.joining import open_bus  # it imports this module

    if known := runs(workspace.repository):
        return known[-1]
    run, base = new_name([]), start_commit(workspace, "target")
    async with open_bus(workspace, run) as bus:
        await create(bus, workspace, base)
    return run


async def read_board(url: str, workspace: Workspace, run: str, say: Callable[[str], None] = logger.error) -> Board:
    """A run's board. One that the bus has lost is restored from its archive; one whose making was interrupted
    is made now.

    Raises:
        RosterError: The run has landed work, this bus does not know it, and there is no archive of it.
    """
    bus = await Bus.connect(url, run)
    try:
        board = await bus.board()
        if not board.run.version and workspace.archive(run).last() is not None:
            await bring_archive_up(workspace, bus, say)
            board = await bus.board()
        if board.run.version:
            return board
        base = workspace.repository.resolve(f"{PREFIX}/{run}/base")
        branch = workspace.settings.project.integration.format(run=run)
        head = workspace.repository.resolve(f"refs/heads/{branch}")
        if base is None or head not in (None, base):
            raise RosterError(
                f"run {run} has landed work, but this bus does not know the run (was its data deleted, or is another "
                f"server meant?); `callboard launch --new --from {run}` starts a new run on top of it"
            )
        await create(bus, workspace, base)
        return await bus.board()
    finally:
        await bus.close()


async def landed_before(
    url: str, workspace: Workspace, run: str, base: str, again: tuple[str, ...]
) -> Mapping[str, str]:
    """Task key -> digest of what earlier runs finished: what landed is read from the history that `base` has, what
    landed nothing from the boards of the runs that are still on the bus.

    Args:
        again: Keys to leave out, so that they are done once more.
    """
    done: dict[str, str] = {}
    for earlier in runs(workspace.repository):
        if earlier != run:
            done |= await _done_without_landing(url, workspace.repository, earlier, base)
    for commit in reversed(workspace.repository.trailers(base, (KEY, DIGEST))):
        keys, digests = commit.trailers.get(KEY, ()), commit.trailers.get(DIGEST, ())
        done |= dict(zip(keys, digests, strict=False))
    return {key: digest for key, digest in done.items() if key not in again}


async def _done_without_landing(url: str, repository: Repository, run: str, base: str) -> dict[str, str]:
    bus = await Bus.connect(url, run)
    try:
        board = await bus.board()
    finally:
        await bus.close()
    done = [task for task in board.tasks() if task.state is TaskState.DONE and not task.landed and task.attempt > 0]
    is_below = any(task.head for task in done) and repository.is_ancestor(board.run.head, base)
    # one with a head changed code that others had landed already: it is done where their landings are
    return {task.task.key: task.task.digest for task in done if is_below or not task.head}
