"""The manager's hands as handlers of the inboxes `gate` and `land`: what takes time, so that the desk never waits."""

from __future__ import annotations

from functools import partial

from callboard.agents.manager.canon import look
from callboard.agents.manager.decision import MANAGER
from callboard.agents.manager.gate import Gate
from callboard.agents.manager.landing import Lander
from callboard.agents.manager.office import Office
from callboard.agents.manager.promotion import FastForward, Promoter
from callboard.agents.runtime import Work
from callboard.agents.threads import run_to_end
from callboard.agents.workspace.git import Repository
from callboard.bus.errors import Reject
from callboard.bus.messages import (
    Body,
    CanonAsked,
    Draft,
    Envelope,
    GateRequested,
    LandRequested,
    MergeRequested,
    Outcome,
    PinRequested,
    PromotionRequested,
)


class GateHandler:
    """Gates of different tasks run side by side, as far as there are slots."""

    def __init__(self, gate: Gate, office: Office) -> None:
        self._gate = gate
        self._office = office

    def lane(self, envelope: Envelope) -> str:
        return envelope.task

    async def handle(self, work: Work) -> Outcome:
        message = work.envelope
        await self._office.board()
        match message.body:
            case PinRequested() as request:
                await run_to_end(self._gate.pin, message, request)
                return Outcome(guards=self._office.guard())
            case CanonAsked() as asked:
                found = await run_to_end(look, asked, partial(self._gate.repository.read, asked.commit))
                return Outcome((Draft(MANAGER, found),), guards=self._office.guard())
            case GateRequested() as request:
                answer = await self._gate.judge(message, request)
                return Outcome((Draft(MANAGER, answer),), guards=self._office.guard())
        raise Reject(f"the gate has nothing to do with {message.kind}")


class LandHandler:
    """Everything that moves a branch, one after the other."""

    def __init__(self, repository: Repository, office: Office, promoter: Promoter | None = None) -> None:
        self._repository = repository
        self._office = office
        self._promoter = promoter or FastForward(repository)

    def lane(self, envelope: Envelope) -> str:
        return "land"

    async def handle(self, work: Work) -> Outcome:
        """The board is read anew each time: an intent counts only while it stands there."""
        board = await self._office.board()
        lander = Lander(self._repository)
        answer: Body
        match work.envelope.body:
            case MergeRequested() as request:
                answer = await run_to_end(lander.prepare, board.run, request)
            case LandRequested() as request:
                answer = await run_to_end(lander.land, board, request)
            case PromotionRequested() as request:
                answer = await run_to_end(self._promoter.promote, board, request)
            case _:
                raise Reject(f"the land hand has nothing to do with {work.envelope.kind}")
        return Outcome((Draft(MANAGER, answer),), guards=self._office.guard())
