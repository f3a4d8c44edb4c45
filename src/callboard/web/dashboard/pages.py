"""The pages, and what their forms do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.responses import RedirectResponse, Response

from callboard.agents.brains.talk import steps, talks
from callboard.bus.board import BlockerDoc, GateDoc, QuestionDoc, ReviewDoc
from callboard.bus.clock import utc_now
from callboard.bus.deployments import DeploymentDoc
from callboard.bus.errors import CallboardError, GitError, RosterError
from callboard.bus.messages import CommandGiven
from callboard.launch.feedback_logs import EntryRow, find_log, row
from callboard.launch.lost import ways_on
from callboard.launch.queue_rows import queue_of
from callboard.launch.review_rows import FindingRow, review_row
from callboard.launch.status import is_running
from callboard.launch.summarise import question as question_row
from callboard.launch.summarise import summarise
from callboard.launch.summary import Launcher
from callboard.launch.telling import give
from callboard.web.dashboard import views
from callboard.web.dashboard.frame import Frame, Framed
from callboard.web.dashboard.session import Viewer, at
from callboard.web.house import Here
from callboard.web.people import AgentName, LetterId, QuestionId
from callboard.web.problems import Refused
from callboard.web.work import TaskId

routes = APIRouter(prefix="/dashboard", include_in_schema=False)
MOST_TASKS = 40
"""Of one column on the overview."""
MOST_HELD = 6
"""Tasks that one agent holds: a manager gates many at once."""
MOST_ENTRIES = 100
MOST_ENDED = 50
MOST_LETTERS = 50
MOST_ASKED = 20
"""Questions and blockers of one task, the newest."""
MOST_STEPS = 200
"""Of a task's transcript, the newest."""
EVERY_S = 0.5
"""A page is told at most twice a second that something changed: faster nobody reads, and each time it is drawn anew."""
RETRY_MS = 1_000


@routes.get("")
async def overview(frame: Framed) -> Response:
    """Agents with what they do now, tasks as a board, what needs people, spend against budget."""
    holder = is_running(frame.house.workspace)
    launcher = Launcher(holder.pid, holder.host, holder.since) if holder else None
    status = summarise(frame.board, launcher=launcher, spent=frame.spent)
    return frame.page(
        "overview.html",
        "",
        status=status,
        letters=len(frame.dead),
        ways_on=ways_on(status.run, status.tasks) if status.run else [],
        done=sum(row.state in views.ENDED for row in status.tasks),
        columns=views.columns(status.tasks),
        spend=views.meters(status.spend),
        most=MOST_TASKS,
        most_held=MOST_HELD,
    )


@routes.get("/tasks/{task_id}")
async def task(frame: Framed, task_id: TaskId) -> Response:
    """One task: what was asked, evidence, reviews with quotes in their code, transcript, merge, deployment."""
    found = frame.board.task(task_id)
    if not found.version:
        raise Refused(404, f"there is no task {task_id} in run {frame.run}")
    return frame.page(
        "task.html",
        "",
        task=found,
        spec=found.task,
        ways_on=_ways_on(frame, task_id),
        asked=views.asked(found.task),
        questions=[question_row(doc) for doc in frame.board.all(QuestionDoc) if doc.task == task_id][-MOST_ASKED:],
        blockers=[doc for doc in frame.board.all(BlockerDoc) if doc.task == task_id][-MOST_ASKED:],
        gate=frame.board.get(f"verdict:{found.tree}:{found.gate_hash}", GateDoc),
        left=[one for one in frame.board.queue.left if one.task == task_id],
        reviews=await asyncio.to_thread(_reviews, frame, task_id),
        talks=await asyncio.to_thread(_talks, frame, task_id),
        deployments=_deployments(frame, found.landed),
    )


def _ways_on(frame: Frame, task: str) -> list[str]:
    """What a person can do about it, where it failed."""
    status = summarise(frame.board)
    return ways_on(status.run, [row for row in status.tasks if row.id == task]) if status.run else []


def _reviews(frame: Frame, task: str) -> list[views.Review]:
    docs = [doc for doc in frame.board.all(ReviewDoc) if doc.task == task]
    rows = [review_row(doc) for doc in docs]
    return [
        views.Review(
            row, tuple(views.Found(one, views.in_code(one, _code(frame, row.commit, one))) for one in row.findings)
        )
        for row in rows
    ]


def _code(frame: Frame, commit: str, finding: FindingRow) -> list[str]:
    """The lines of a finding's file as it was reviewed; none where it is not there, or is no text."""
    file, line = views.place_of(finding)
    if not line or not commit:
        return []
    with suppress(GitError, UnicodeDecodeError):
        content = frame.house.workspace.repository.read(commit, file)
        text = (content or b"").decode()
        return frame.house.workspace.redactor.text(text).splitlines()
    return []


def _talks(frame: Frame, task: str) -> list[dict[str, object]]:
    calls = frame.house.workspace.layout.calls(frame.run)
    if not calls.is_dir():
        return []
    clean = frame.house.workspace.redactor.text
    found, left = list[dict[str, object]](), MOST_STEPS
    for talk in reversed(list(talks(calls, task))):
        every = list(steps(talk))
        shown = every[-left:] if left else []
        left -= len(shown)
        told = [
            {
                "at": step.at,
                "name": step.name,
                "duration_s": step.duration_s,
                "ok": step.ok,
                "text": clean(step.text),
                "calls": [clean(call) for call in step.calls],
            }
            for step in shown
        ]
        head = {"what": views.about(talk.attempt, talk.review), "agent": talk.agent, "total": len(every)}
        found.append({**head, "steps": told})
    return found[::-1]


def _deployments(frame: Frame, landed: str) -> list[DeploymentDoc]:
    """Those with what a task has landed: of its commit, or of one that came after."""
    if not landed:
        return []
    repository = frame.house.workspace.repository
    return [
        doc
        for doc in frame.board.all(DeploymentDoc)
        if doc.commit and (doc.commit == landed or repository.is_ancestor(landed, doc.commit))
    ]


@routes.get("/questions")
async def questions(frame: Framed) -> Response:
    """What waits for people, and what they said."""
    return _questions(frame)


def _questions(frame: Frame, notice: str = "", code: int = 200) -> Response:
    rows = [question_row(doc) for doc in frame.board.all(QuestionDoc)]
    ended = [one for one in rows if one.state != "open"]
    still = [one for one in rows if one.state == "open"]
    last = ended[: -MOST_ENDED - 1 : -1]
    return frame.page("questions.html", "/questions", code, open=still, ended=last, total=len(ended), notice=notice)


@routes.post("/questions/{question_id}")
async def answer(
    frame: Framed,
    question_id: QuestionId,
    text: Annotated[str, Form(max_length=20_000)] = "",
    default: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Answer a question, and go back to where it stands."""
    if "answer" not in frame.viewer.scopes:
        raise Refused(403, "answering needs the scope answer")
    if bool(default) is bool(text.strip()):
        return _questions(frame, f"{question_id} needs an answer: write one, choose one, or take its default.", 422)
    command = CommandGiven(
        command="answer", question=question_id, text=text, takes_default=bool(default), by=frame.viewer.name
    )
    handled = await give(frame.house.workspace, command)
    if not handled.ok:
        return _questions(frame, handled.text, 409)
    return RedirectResponse(f"{at(frame.request)}/dashboard/questions#{question_id}", 303)


@routes.get("/feedback")
async def feedback_logs(frame: Framed) -> Response:
    """Whose logs there are."""
    return frame.page("feedback.html", "/feedback", agent="", agents=_agents(frame), entries=[], total=0)


@routes.get("/feedback/{agent}")
async def feedback(frame: Framed, agent: AgentName) -> Response:
    """An agent's log, the newest entry first, as it is written."""

    def read() -> list[EntryRow]:
        return [row(entry) for entry in find_log(frame.house.workspace.settings, agent).entries()]

    try:
        found = await asyncio.to_thread(read)
    except RosterError as error:
        raise Refused(404, str(error)) from error
    last = found[-MOST_ENTRIES:][::-1]
    return frame.page("feedback.html", "/feedback", agent=agent, agents=_agents(frame), entries=last, total=len(found))


def _agents(frame: Frame) -> list[str]:
    return [agent.name for agent in frame.house.workspace.settings.agents]


@routes.get("/queue")
async def queue(frame: Framed) -> Response:
    """The merge queue: its order, which gates ran, who left it and why."""
    found = queue_of(frame.board, utc_now(), frame.house.workspace.policy.ageing)
    return frame.page("queue.html", "/queue", queue=found)


@routes.get("/dead")
async def dead(frame: Framed) -> Response:
    """Messages that nobody could handle."""
    return frame.page("dead.html", "/dead", dead=frame.dead[:MOST_LETTERS], total=len(frame.dead))


@routes.post("/dead/{letter_id}")
async def retry(frame: Framed, letter_id: LetterId) -> Response:
    """Send a dead letter again."""
    if "operate" not in frame.viewer.scopes:
        raise Refused(403, "a retry needs the scope operate")
    if letter_id not in {letter.id for letter in frame.dead}:
        raise Refused(404, f"there is no dead letter {letter_id}")
    async with frame.house.bus(frame.run) as bus:
        await bus.dead_retry(letter_id)
    return RedirectResponse(f"{at(frame.request)}/dashboard/dead", 303)


async def _reached(request: Request, _: Viewer, house: Here, run: Annotated[str, Query(max_length=100)]) -> str:
    """The run, once its bus answers: who has lost the connection has lost it until then, and is not told otherwise."""
    known = await house.known_run(run)
    while house.is_served and not await request.is_disconnected():
        with suppress(CallboardError):
            async with house.bus(known) as bus:
                await bus.seq()
                break
        await asyncio.sleep(RETRY_MS / 1_000)
    return known


@routes.get("/live", response_class=EventSourceResponse)
async def live(
    house: Here,
    run: Annotated[str, Depends(_reached)],
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
) -> AsyncIterable[ServerSentEvent]:
    """Tells a page that something changed, until the bus is gone. Who lost the connection says what it had last, and is told
    at once if that is old."""
    tail = house.tail(run)
    had = int(last_event_id) if last_event_id.isascii() and last_event_id.isdigit() else after
    yield ServerSentEvent(comment="changes follow", retry=RETRY_MS)
    async for newest in tail.changes(had):
        yield ServerSentEvent(raw_data="changed", event="changed", id=str(newest))
        await asyncio.sleep(EVERY_S)
