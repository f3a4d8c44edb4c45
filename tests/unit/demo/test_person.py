"""When the demo's person answers."""

from __future__ import annotations

import asyncio

import pytest
from boards import agent_doc, question_doc, run_doc, task_doc
from demo_run import deployment_doc

from callboard.bus.board import Board, TaskState
from callboard.bus.caps import SpentSeen
from callboard.bus.errors import RosterError
from callboard.bus.messages import Body, CommandGiven, CommandHandled, DeploymentCommanded
from callboard.demo.person import ANSWER, Person, due
from callboard.demo.visitors import Visitors
from callboard.demo.wishes import BURSTS

HEARD = CommandHandled(command="m-1", ok=True, text="done")


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

    async def tell(body: Body, key: str) -> CommandHandled:
        assert isinstance(body, CommandGiven)
        given.append((body.question, body.text))
        return HEARD

    async def look() -> None:
        person = Person(shown, tell, None)
        for _ in range(3):
            person.board(asked(works_on="T-4"))
            await asyncio.sleep(0)
        await person.done()
        person.close()

    asyncio.run(look())
    assert given == [("q-1", ANSWER)]
    assert (shown.boards, len(shown.events), shown.closed) == (3, 1, True)


def test_an_answer_that_could_not_be_given_is_told_at_the_end() -> None:
    async def tell(body: Body, key: str) -> CommandHandled:
        raise RosterError("the manager has not answered")

    async def look() -> None:
        person = Person(Shown(), tell, None)
        person.board(asked(works_on="T-4"))
        await asyncio.sleep(0)
        await person.done()

    with pytest.raises(RosterError, match="has not answered"):
        asyncio.run(look())


def test_an_answer_that_nobody_hears_any_more_is_given_up() -> None:
    async def tell(body: Body, key: str) -> CommandHandled:
        await asyncio.Event().wait()
        return HEARD

    async def look() -> None:
        person = Person(Shown(), tell, None)
        person.board(asked(works_on="T-4"))
        await asyncio.sleep(0)
        async with asyncio.timeout(300):
            await person.done()

    asyncio.run(look())


@pytest.mark.parametrize(("ok", "holds"), [(True, True), (False, False)], ids=["heard", "refused"])
def test_a_launch_is_held_until_what_was_asked_for_has_come_about_or_was_refused(ok: bool, holds: bool) -> None:
    told: list[Body] = []

    async def tell(body: Body, key: str) -> CommandHandled:
        told.append(body)
        return HEARD.model_copy(update={"ok": ok})

    async def look() -> None:
        person = Person(Shown(), tell, Visitors(1))
        assert not person.holds(), "nothing is known yet"
        for _ in range(3):
            person.board(asked(works_on="", state="answered", other=TaskState.DONE))
            await asyncio.sleep(0)
        assert not person.holds(), "a task is open"
        done = Board({"run": run_doc(), "task:T-1": task_doc(1, "Health", TaskState.DONE, agent="driver-1")})
        for _ in range(3):
            person.board(done)
            await asyncio.sleep(0)
        assert person.holds() is holds
        deployed = Board(
            {
                **done.docs,
                "deployment:d-1": deployment_doc(1, "testing"),
                "task:T-2": task_doc(2, "Bursts", key=BURSTS.key),
            }
        )
        person.board(deployed)
        assert not person.holds(), "it is under way"
        await person.done()

    asyncio.run(look())
    assert told == [DeploymentCommanded(command="deploy", by="a person")]
