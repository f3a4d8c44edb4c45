"""The person of the demo: looks on, and answers the one question that comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from callboard.agents.manager.outlook import outlook
from callboard.bus.board import AgentDoc, Board, QuestionDoc
from callboard.bus.caps import SpentSeen
from callboard.bus.ending import end
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
    """A view of a launch that also answers.

    Args:
        view: What shows the launch.
        answer: Gives the manager the answer to a question, by the question's id.
    """

    view: View
    answer: Callable[[str, str], Awaitable[object]]
    last: Board = field(default_factory=Board)
    _answering: dict[str, asyncio.Task[object]] = field(default_factory=dict)

    def board(self, board: Board) -> None:
        self.last = board
        self.view.board(board)
        question = due(board)
        if question is not None and question.id not in self._answering:
            self.view.event(f'a person answers {question.id}: "{ANSWER}"')
            self._answering[question.id] = asyncio.ensure_future(self.answer(question.id, ANSWER))

    def spent(self, seen: SpentSeen) -> None:
        self.view.spent(seen)

    def event(self, text: str) -> None:
        self.view.event(text)

    def close(self) -> None:
        self.view.close()

    async def done(self) -> None:
        """Wait for answers that are under way; with the launch over, one that nobody hears any more is given up.

        Raises:
            CallboardError: An answer could not be given.
        """
        await end(*self._answering.values())
        for result in await asyncio.gather(*self._answering.values(), return_exceptions=True):
            if isinstance(result, Exception):
                raise result
