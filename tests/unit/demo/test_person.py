"""When the demo's person answers."""

from __future__ import annotations

import asyncio

import pytest
from boards import agent_doc, question_doc, run_doc, task_doc

from callboard.bus.board import Board, TaskState
from callboard.bus.caps import SpentSeen
from callboard.bus.errors import RosterError
from callboard.demo.person import ANSWER, Person, due


class Shown:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.boards = 0
        self.closed = False

    def board(self, board: Board) -> None:
        self.boards += 1

    def spent(self, seen: SpentSeen) -> None:
        """Nobody pays here."""

    def event(self, text: str) -> None:
        self.events.append(text)

    def close(self) -> None:
        self.closed = True


def asked(*, works_on: str, state: str = "open", other: TaskState = TaskState.WORKING) -> Board:
    return Board(
        {
            "run": run_doc(),
            "agent:driver-1": agent_doc("driver-1", state="working" if works_on else "idle", task=works_on),
            "task:T-3": task_doc(3, "Names", TaskState.BLOCKED, agent="driver-1", attempt=1),
            "task:T-4": task_doc(4, "Listing", other, agent="driver-1", attempt=1),
            "question:q-1": question_doc(1, "T-3", "which?", state=state),
        }
    )


def test_a_question_is_due_once_its_driver_works_on_something_else() -> None:
    assert due(asked(works_on="")) is None
    assert due(asked(works_on="T-3")) is None
    assert due(asked(works_on="T-4", state="answered")) is None
    question = due(asked(works_on="T-4"))
    assert question is not None
    assert question.id == "q-1"


def test_a_question_is_due_when_nothing_else_is_left() -> None:
    assert due(asked(works_on="", other=TaskState.DONE)) is not None


def test_one_question_is_answered_once_and_everything_is_shown() -> None:
    given: list[tuple[str, str]] = []
    shown = Shown()

    async def answer(question: str, text: str) -> None:
        given.append((question, text))

    async def look() -> None:
        person = Person(shown, answer)
        for _ in range(3):
            person.board(asked(works_on="T-4"))
            await asyncio.sleep(0)
        await person.done()
        person.close()

    asyncio.run(look())
    assert given == [("q-1", ANSWER)]
    assert (shown.boards, len(shown.events), shown.closed) == (3, 1, True)


def test_an_answer_that_could_not_be_given_is_told_at_the_end() -> None:
    async def answer(question: str, text: str) -> None:
        raise RosterError("the manager has not answered")

    async def look() -> None:
        person = Person(Shown(), answer)
        person.board(asked(works_on="T-4"))
        await asyncio.sleep(0)
        await person.done()

    with pytest.raises(RosterError, match="has not answered"):
        asyncio.run(look())


def test_an_answer_that_nobody_hears_any_more_is_given_up() -> None:
    async def answer(question: str, text: str) -> None:
        await asyncio.Event().wait()

    async def look() -> None:
        person = Person(Shown(), answer)
        person.board(asked(works_on="T-4"))
        await asyncio.sleep(0)
        async with asyncio.timeout(300):
            await person.done()

    asyncio.run(look())
