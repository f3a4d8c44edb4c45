"""The backlog that a new run takes over: what the runs before it left open, from the bus or from their archives."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from loguru import logger

from callboard.agents.manager.carrying import gathered, left_open, merged
from callboard.agents.manager.decision import MANAGER
from callboard.app import Workspace
from callboard.bus.board import Board, decode_doc
from callboard.bus.bus import Bus
from callboard.bus.errors import BusError
from callboard.bus.issues import Kept
from callboard.bus.messages import BacklogCarried, Draft
from callboard.bus.run_state import RunState
from callboard.launch.runs import outside_runs, runs

MOST_RUNS = 50
"""How far back is looked where no run took over from the one before, as in those of earlier versions."""


async def carry(bus: Bus, workspace: Workspace) -> None:
    """Tell the desk what earlier runs left open, unless it knows. Repeated after a crash it is the same message."""
    if (await bus.board()).tracker.is_carried:
        return
    earlier = earlier_runs(workspace, bus.run)
    left: list[tuple[Kept, ...]] = []
    for run in reversed(earlier[-MOST_RUNS:]):
        board = await board_of(bus, workspace, run)
        left.append(left_open(board))
        if board.tracker.is_carried:
            break
    body = BacklogCarried(run=earlier[-1] if earlier else "", issues=merged(reversed(left)))
    await bus.send(Draft(MANAGER, body), sender=MANAGER, idempotency_key="backlog")


async def carry_outside(bus: Bus, workspace: Workspace) -> None:
    """The same for a run that was started from outside: it takes over what such runs left open. Their names say nothing of their
    age, and many may be at work at a time."""
    if (await bus.board()).tracker.is_carried:
        return
    others = [run for run in await asyncio.to_thread(outside_runs, workspace.repository) if run != bus.run]
    begun = [(board.run.created_at, board) for run in others for board in [await board_of(bus, workspace, run)]]
    boards = [board for at, board in sorted(((at, board) for at, board in begun if at), key=lambda one: one[0])]
    body = BacklogCarried(run=boards[-1].run.id if boards else "", issues=gathered(boards))
    await bus.send(Draft(MANAGER, body), sender=MANAGER, idempotency_key="backlog")


def earlier_runs(workspace: Workspace, run: str) -> Sequence[str]:
    """Runs before this one, the oldest first: those that the repository lists, and those that `clean` left in the archive."""
    archived = workspace.layout.archives
    kept = [path.name for path in archived.iterdir() if path.is_dir()] if archived.is_dir() else []
    known = {*runs(workspace.repository), *kept} - set(outside_runs(workspace.repository))
    return sorted(name for name in known if name < run)


async def board_of(bus: Bus, workspace: Workspace, run: str) -> Board:
    """The board of a run, of which the bus may hold nothing any more; an empty one where the archive has nothing either."""
    other = await Bus.connect(bus.url, run)
    try:
        board = await other.board()
    finally:
        await other.close()
    return board if board.run.version else archived_board(workspace, run)


def archived_board(workspace: Workspace, run: str) -> Board:
    state = RunState()
    try:
        for row in workspace.archive(run).rows():
            state.apply(row)
    except BusError as error:
        logger.warning(
            "the archive of an earlier run is damaged; its backlog may lack issues", run=run, error=str(error)
        )
    return Board({name: decode_doc(name, doc) for name, doc in state.board.items()})
