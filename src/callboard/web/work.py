"""What is done: tasks, messages, the merge queue, deployments."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AwareDatetime, BaseModel

from callboard.agents.deployment.history import Record
from callboard.agents.deployment.standing import Standing, standing_of
from callboard.bus.board import TaskDoc, TaskState
from callboard.bus.clock import utc_now
from callboard.bus.deployments import DeploymentDoc
from callboard.deploying import Deploying
from callboard.launch.deployment_rows import DeploymentRow, Deployments, EnvironmentRow, deployments_of
from callboard.launch.queue_rows import Queue, queue_of
from callboard.launch.summarise import summarise
from callboard.launch.summary import TaskRow
from callboard.web.callers import Reader
from callboard.web.house import AskedBoard, AskedRun, Here, House
from callboard.web.pages import Page, Paging, page_number
from callboard.web.problems import Refused

routes = APIRouter(tags=["work"])
MOST_ENTRIES = 5_000
"""That one request looks through: a filter may find nothing in all of them."""
TaskId = Annotated[str, Path(pattern=r"^T-[0-9]{1,9}$", description="Such as T-7.")]


class Message(BaseModel):
    """One message, as the journal has it."""

    seq: int
    """The number of its entry in the journal."""
    id: str
    at: AwareDatetime
    kind: str
    sender: str
    recipient: str
    task: str
    attempt: int
    body: dict[str, object]


class Messages(BaseModel):
    """Part of what was said, the oldest first."""

    items: list[Message]
    next: str
    """What to give as `after` for more; "" = there is no more yet."""


@routes.get("/tasks")
async def tasks(_: Reader, board: AskedBoard, paging: Paging, state: TaskState | None = None) -> Page[TaskRow]:
    """Every task of the run, by number; with `state` only those in it."""
    rows = [row for row in summarise(board).tasks if state in (None, row.state)]
    return paging.page(rows, lambda row: row.id)


@routes.get("/tasks/{task_id}")
async def task(_: Reader, board: AskedBoard, task_id: TaskId) -> TaskDoc:
    """One task, whole: what was asked, what was handed in, verdicts, where it landed."""
    found = board.task(task_id)
    if not found.version:
        raise Refused(404, f"there is no task {task_id} in this run; /tasks lists them")
    return found


@routes.get("/messages")
async def messages(_: Reader, house: Here, run: AskedRun, paging: Paging, agent: str = "", kind: str = "") -> Messages:
    """What was said, the oldest first; `after` is the number of a journal entry. `agent` sent or got it."""
    after, found, last = page_number(paging.after), list[Message](), 0
    async with house.bus(run) as bus:
        async for entry in bus.journal(after):
            last = entry.seq
            for one in entry.messages:
                if agent in ("", one.sender, one.recipient) and kind in ("", one.kind):
                    found.append(
                        Message(
                            seq=entry.seq,
                            id=one.id,
                            at=one.sent_at,
                            kind=one.kind,
                            sender=one.sender,
                            recipient=one.recipient,
                            task=one.task,
                            attempt=one.attempt,
                            body=one.body.model_dump(mode="json"),
                        )
                    )
            if len(found) >= paging.limit or last - after >= MOST_ENTRIES:
                return Messages(items=found, next=str(last))
    return Messages(items=found, next="")


@routes.get("/queue")
async def queue(_: Reader, house: Here, board: AskedBoard) -> Queue:
    """The merge queue: its order, the stack under test, which gates ran, who left it and why."""
    return queue_of(board, utc_now(), house.workspace.policy.ageing)


@routes.get("/deployments")
async def deployments(_: Reader, house: Here, board: AskedBoard, paging: Paging) -> Page[DeploymentRow]:
    """The run's deployments, the oldest first."""
    return paging.page((await deployed(house, board.all(DeploymentDoc))).deployments, lambda row: row.id)


@routes.get("/environments")
async def environments(_: Reader, house: Here, paging: Paging) -> Page[EnvironmentRow]:
    """What serves in each environment of callboard.toml, and who holds it."""
    return paging.page((await deployed(house, ())).environments, lambda row: row.environment)


async def deployed(house: House, docs: Iterable[DeploymentDoc]) -> Deployments:
    """Deployments with what is on record of their environments."""
    workspace = house.workspace

    def read() -> tuple[dict[str, Record], dict[str, Standing]]:
        if workspace.settings.deploy is None:
            return {}, {}
        deploying = Deploying(workspace)
        records = {name: deploying.history(name).read() for name in deploying.settings.environments}
        # whoever asks a page must not run [deploy.commands]
        asked = records if deploying.settings.target != "command" else ()
        return records, {name: standing_of(deploying.target(name)) for name in asked}

    records, standing = await asyncio.to_thread(read)
    return deployments_of(docs, records, utc_now(), standing)
