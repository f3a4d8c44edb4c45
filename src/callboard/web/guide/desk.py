"""How these routes find a phase and speak to its run's manager."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path

from callboard.agents.manager.outside_seats import outside_of, phase_of
from callboard.bus.board import Board, PhaseDoc, TaskDoc
from callboard.bus.bus import RUN_NAME, Bus
from callboard.launch.backlog import board_of
from callboard.web.house import Here, House, NamedRun
from callboard.web.problems import Refused

PhaseId = Annotated[str, Path(max_length=100, pattern=f"^{RUN_NAME.pattern}$")]


@dataclass(frozen=True, slots=True)
class AtDesk:
    """A phase, while its run's manager is there."""

    bus: Bus
    board: Board
    task: TaskDoc
    doc: PhaseDoc


@asynccontextmanager
async def at_desk(house: House, run: str, phase: str) -> AsyncIterator[AtDesk]:
    """A phase of a run that was started from outside.

    Raises:
        Refused: 409, the run was launched; 404, it has no such phase.
    """
    async with house.hosts.at_desk(run) as bus:
        board = await bus.board()
        if outside_of(board) is None:
            raise Refused(409, f"run {run} was not started from outside: the agents of its roster do its tasks")
        task, doc = find(board, phase)
        if doc is None:
            raise Refused(404, f"run {run} has no phase {phase!r}; GET /runs/{run} lists them")
        yield AtDesk(bus, board, task, doc)


def find(board: Board, phase: str) -> tuple[TaskDoc, PhaseDoc | None]:
    """The newest task under a phase's id."""
    for task in reversed(board.tasks()):
        doc = phase_of(board, task)
        if doc is not None and doc.phase.id == phase:
            return task, doc
    return TaskDoc(), None


async def _board(house: Here, run: NamedRun) -> Board:
    board = await house.board(run)
    if board.run.version:
        return board
    async with house.bus(run) as bus:
        return await board_of(bus, house.workspace, run)


RunBoard = Annotated[Board, Depends(_board)]
"""The board of `{run_id}`, from the archive where the bus has lost it."""


def same_ids(run: str, phase: str, body_run: str, body_phase: str) -> None:
    """Raises Refused: 422, path and body name different things."""
    if (run, phase) != (body_run, body_phase):
        raise Refused(422, f"the path names {run}/{phase}, and the body {body_run}/{body_phase}; they must be the same")
