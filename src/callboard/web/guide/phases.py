"""Phases: moved by people, and issues that were seen in them."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from callboard.agents.manager.phases import NAMES
from callboard.bus.issues import IssueDoc, Report
from callboard.bus.messages import IssueSeen, PhaseMoved
from callboard.hosting import builder_of
from callboard.launch import outside
from callboard.web.callers import Agent, Operator
from callboard.web.guide.asked import IssueAsked, MoveAsked
from callboard.web.guide.desk import PhaseId, at_desk
from callboard.web.guide.shown import PhaseShown, show_phase
from callboard.web.house import Here, NamedRun
from callboard.web.problems import Refused
from callboard.web.repeats import CommandKey

routes = APIRouter(tags=["phases"], prefix="/runs/{run_id}/phases/{phase_id}")


@routes.post("/update_status")
async def update_status(
    _: Operator, house: Here, run_id: NamedRun, phase_id: PhaseId, body: MoveAsked, key: CommandKey
) -> PhaseShown:
    """Ask the manager to move a phase. An illegal move is 409 and names both states; COMPLETE comes with a landing alone."""
    async with at_desk(house, run_id, phase_id) as here:
        moved = PhaseMoved(state=body.state, counts=dict(body.__pydantic_extra__ or {}))
        handled = await outside.say(here.bus, moved, sender="person", task=here.task.id, key=key)
        board = await here.bus.board()
        if not handled.ok:
            was = NAMES[board.task(here.task.id).state]
            raise Refused(409, handled.text, state=was, requested=body.state)
        return show_phase(board, board.task(here.task.id))


class IssueKept(BaseModel):
    issue_key: str
    severity: str
    """The gravest that anybody gave it."""
    count: int
    phase_id: str
    run_id: str
    open_in_backlog: bool


@routes.post("/record_issue")
async def record_issue(
    _: Agent, house: Here, run_id: NamedRun, phase_id: PhaseId, body: IssueAsked, key: CommandKey
) -> IssueKept:
    """Record an issue of a phase, of its run, and in the project's backlog."""
    report = Report(
        key=body.issue_key,
        title=body.description or body.issue_key,
        severity=body.severity,
        category=body.category,
        evidence=tuple(body.evidence_refs),
        task_category=body.task_category,
        complexity=body.complexity,
    )
    async with at_desk(house, run_id, phase_id) as here:
        seen = IssueSeen(report=report, source=body.source)
        await outside.tell(here.bus, seen, sender=builder_of(run_id), task=here.task.id, key=key)
        issue = (await here.bus.board()).get(f"issue:{body.issue_key}", IssueDoc)
        return IssueKept(
            issue_key=issue.key,
            severity=issue.severity,
            count=issue.count,
            phase_id=phase_id,
            run_id=run_id,
            open_in_backlog=issue.state == "open",
        )
