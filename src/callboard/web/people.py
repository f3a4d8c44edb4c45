"""What waits for people, and what agents tell them: questions, approvals, feedback logs, dead letters."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from callboard.bus.board import Board, QuestionDoc
from callboard.bus.dead_letters import DeadLetter
from callboard.bus.errors import RosterError
from callboard.bus.messages import CommandGiven
from callboard.launch.feedback_logs import EntryRow, find_log, row
from callboard.launch.summarise import question as question_row
from callboard.launch.summary import QuestionRow
from callboard.launch.telling import give
from callboard.web.callers import Answerer, Operator, Reader
from callboard.web.house import AskedBoard, AskedRun, Here
from callboard.web.pages import Page, Paging
from callboard.web.problems import Refused
from callboard.web.repeats import CommandKey

routes = APIRouter(tags=["people"])
QuestionId = Annotated[str, Path(pattern=r"^q-[0-9]{1,9}$", description="Such as q-1.")]
AgentName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,62}$", description="Of the roster, or who was on it.")]
LetterId = Annotated[str, Path(pattern=r"^[0-9]{1,18}$", description="The dead letter's id.")]
States = Literal["open", "answered", "closed", "all"]


class AnswerGiven(BaseModel):
    """What a person says: either a text or the question's default."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: Annotated[str, Field(max_length=20_000, description="Where options are given, one of them.")] = ""
    default: Annotated[bool, Field(description="Take its default, instead of a text.")] = False


class Done(BaseModel):
    """What became of a command."""

    text: str
    """One sentence: what was done."""
    task: str
    """The task that it was about; "" = none."""


def _questions(board: Board, state: States, *, approvals: bool) -> list[QuestionRow]:
    docs = (doc for doc in board.all(QuestionDoc) if not approvals or doc.permits)
    return [question_row(doc) for doc in docs if state in ("all", doc.state)]


@routes.get("/questions")
async def questions(_: Reader, board: AskedBoard, paging: Paging, state: States = "open") -> Page[QuestionRow]:
    """What waits for people: questions of agents, approvals, caps that are reached."""
    return paging.page(_questions(board, state, approvals=False), lambda row: row.id)


@routes.get("/approvals")
async def approvals(_: Reader, board: AskedBoard, paging: Paging, state: States = "open") -> Page[QuestionRow]:
    """The questions among them that let a hand-in through intake."""
    return paging.page(_questions(board, state, approvals=True), lambda row: row.id)


@routes.post("/questions/{question_id}/answer")
async def answer(
    by: Answerer, house: Here, run: AskedRun, question_id: QuestionId, given: AnswerGiven, key: CommandKey
) -> Done:
    """Answer a question; the task that waits for it goes on. The answer stands under the name of the token."""
    if given.default is bool(given.text.strip()):
        raise Refused(422, "give either a text or default: true")
    if run != (await house.runs())[-1]:
        raise Refused(409, f"run {run} is over; only the newest run's questions are answered")
    command = CommandGiven(
        command="answer", question=question_id, text=given.text, takes_default=given.default, by=by.name
    )
    handled = await give(house.workspace, command, key=key)
    if not handled.ok:
        raise Refused(409, handled.text)
    return Done(text=handled.text, task=handled.task)


@routes.get("/feedback/{agent}")
async def feedback(_: Reader, house: Here, agent: AgentName, paging: Paging) -> Page[EntryRow]:
    """What an agent did, the oldest first, the archive of its log included."""

    def read() -> list[EntryRow]:
        return [row(entry) for entry in find_log(house.workspace.settings, agent).entries()]

    try:
        found = await asyncio.to_thread(read)
    except RosterError as error:
        raise Refused(404, str(error)) from error
    return paging.page(found, lambda row: row.id)


@routes.get("/dead-letters")
async def dead_letters(_: Reader, house: Here, run: AskedRun, paging: Paging) -> Page[DeadLetter]:
    """Messages that nobody could handle, the oldest first."""
    async with house.bus(run) as bus:
        found = await bus.dead()
    return paging.page(found, lambda letter: letter.id)


@routes.post("/dead-letters/{letter_id}/retry")
async def retry(_: Operator, house: Here, run: AskedRun, letter_id: LetterId) -> Done:
    """Send a dead letter again, to the same inbox, its failures forgotten."""
    async with house.bus(run) as bus:
        if letter_id not in {letter.id for letter in await bus.dead()}:
            raise Refused(404, f"there is no dead letter {letter_id}; /dead-letters lists them")
        await bus.dead_retry(letter_id)
    return Done(text=f"dead letter {letter_id} is in its inbox again", task="")
