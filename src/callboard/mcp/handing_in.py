"""Gives what came of a piece of work to the agent's handler, and waits until it is committed."""

from __future__ import annotations

import asyncio

from callboard.agents.outside.hatch import Given, Piece
from callboard.agents.workspace.git import Person
from callboard.bus.clock import utc_now
from callboard.bus.errors import CommandRefused, IntakeRefused
from callboard.bus.messages import TaskAssigned
from callboard.mcp.shapes import Taken, taken
from callboard.mcp.shift import Shift, until_handled

ANSWER_S = 45.0
"""How long one call waits for the task's checks: most clients give up a call after a minute."""


async def hand_in(shift: Shift, piece: Piece, given: Given) -> Taken:
    """Give it, once, and say what the manager is told.

    Raises:
        CommandRefused: It is not open.
    """
    before = await shift.bus.seq()
    piece.give(given)
    try:
        async with asyncio.timeout(ANSWER_S):
            await piece.ended.wait()
            # what is answered has happened, also if this process dies now
            await until_handled(shift.bus, piece.envelope.id, before)
    except TimeoutError:
        return taken(piece, is_committed=False)
    return taken(piece, is_committed=True)


async def commit_of(shift: Shift, piece: Piece, diff: str) -> str:
    """The commit that a diff makes of a task's base.

    Raises:
        CommandRefused: It is too long, cannot be read, does not fit, or changes nothing; nothing was handed in.
    """
    assigned, envelope = piece.envelope.body, piece.envelope
    assert isinstance(assigned, TaskAssigned), "only tasks have diffs"
    most = shift.workspace.settings.intake.max_total_bytes
    raw = (diff if diff.endswith("\n") else f"{diff}\n").encode("utf-8", "surrogatepass")
    if len(raw) > most:
        raise CommandRefused(
            f"the diff has {len(raw)} bytes, and intake takes {most} at most ([intake] max_total_bytes)"
        )
    name = shift.agent.name
    author, title = Person(name, f"{name}@localhost"), f"{assigned.spec.title}, as a diff"
    try:
        return await asyncio.to_thread(
            shift.patches.commit, assigned.base, raw, title, author, utc_now(), run=f"{envelope.run}/diffs"
        )
    except IntakeRefused as refusal:
        raise CommandRefused(
            f"the diff was not taken: {refusal.way_out}. It has to be a unified diff, as `git diff --binary` prints it, against "
            f"{assigned.base}. {piece.id} is still in your hands"
        ) from refusal
