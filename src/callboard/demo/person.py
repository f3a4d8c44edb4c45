"""The person of the demo: looks on, answers the one question that comes, and deploys what has landed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import AgentDoc, Board, QuestionDoc
from callboard.bus.caps import SpentSeen
from callboard.bus.ending import end
from callboard.bus.messages import Body, CommandGiven, CommandHandled
from callboard.demo.visitors import Visitors
from callboard.demo.wishes import Wish, serves, wish
from callboard.launch.launcher import View

ANSWER = "Reserve health, links and go; 3 to 30 of a-z, 0-9 and -."


def due(board: Board) -> QuestionDoc | None:
    """The open question that can be answered now: whoever asked works on something else, or nobody works at all."""
    for question in board.all(QuestionDoc):
        agent = board.get(f"agent:{question.agent}", AgentDoc)
        is_busy = agent.state == "working" and agent.task != question.task
        if question.state == "open" and (is_busy or outlook(board) == "people"):
            return question
    return None


@dataclass(slots=True)
class Person:
    """A view of a launch that also says something.

    Args:
        view: What shows the launch.
        tell: Gives the manager a command; the same key again is the same one.
        visitors: Who uses what is deployed; None = nothing can be deployed here.
    """

    view: View
    tell: Callable[[Body, str], Awaitable[CommandHandled]]
    visitors: Visitors | None
    last: Board = field(default_factory=Board)
    _told: dict[str, asyncio.Task[CommandHandled]] = field(default_factory=dict)

    def board(self, board: Board) -> None:
        self.last = board
        self.view.board(board)
        question = due(board)
        if question is not None:
            body = CommandGiven(command="answer", question=question.id, text=ANSWER)
            self._say(Wish(f'answers {question.id}: "{ANSWER}"', body, f"demo/{question.id}"))
        if self.visitors is not None and serves(board):
            self.visitors.come()
        if wanted := self._wish():
            self._say(wanted)

    def holds(self) -> bool:
        """Whether something that they ask for is still to come about."""
        wanted = self._wish()
        return wanted is not None and not self._was_refused(wanted)

    def _wish(self) -> Wish | None:
        return wish(self.last) if self.visitors is not None else None

    def _say(self, wanted: Wish) -> None:
        if wanted.key not in self._told:
            self.view.event(f"a person {wanted.said}")
            self._told[wanted.key] = asyncio.ensure_future(self.tell(wanted.body, wanted.key))

    def _was_refused(self, wanted: Wish) -> bool:
        told = self._told.get(wanted.key)
        return told is not None and told.done() and (bool(told.exception()) or not told.result().ok)

    def spent(self, seen: SpentSeen) -> None:
        self.view.spent(seen)

    def event(self, text: str) -> None:
        self.view.event(text)

    def close(self) -> None:
        self.view.close()

    async def done(self) -> None:
        """Wait for commands that are under way; with the launch over, one that nobody hears any more is given up.

        Raises:
            CallboardError: A command could not be given.
        """
        await end(*self._told.values())
        for result in await asyncio.gather(*self._told.values(), return_exceptions=True):
            if isinstance(result, Exception):
                raise result
