"""Whom the desk asks about a blocker, and what: the package of a consult."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from callboard.agents.manager import canon, dispatch
from callboard.agents.manager.counsel import JUNIORS, SENIOR
from callboard.agents.manager.decision import Decision
from callboard.bus.board import AgentDoc, BlockerDoc, BriefingDoc, TaskDoc
from callboard.bus.caps import agent_scope
from callboard.bus.messages import CanonAsked, ConsultRequested, TimerFired
from callboard.bus.problems import Advice

MOST_EVIDENCE = 4
"""Notes that go with a consult, the newest."""
MOST_TEXT = 2_000
"""Characters of each."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, and to whom."""

    consult: str
    asked: tuple[str, ...]
    body: CanonAsked | ConsultRequested


def send(decision: Decision, request: Request, task: TaskDoc) -> None:
    """Ask, and look again when its time is over."""
    for name in request.asked:
        decision.send("gate" if isinstance(request.body, CanonAsked) else name, request.body, task)
    timer = TimerFired(about="consult", subject=request.consult)
    decision.after(decision.policy.consult_deadline, timer, task)


def of_canon(decision: Decision, blocker: BlockerDoc, task: TaskDoc) -> Request | str:
    briefing = decision.board.get(f"briefing:{task.task.agent}", BriefingDoc).briefing
    documents = canon.documents(briefing)
    if not documents:
        return "its directions name no document as canon"
    consult = f"{blocker.id}.canon"
    body = CanonAsked(
        consult=consult,
        commit=decision.board.run.head,
        documents=documents,
        problem=f"{blocker.what}\n{blocker.needs}",
    )
    return Request(consult, ("canon",), body)


def of_senior(decision: Decision, blocker: BlockerDoc, task: TaskDoc) -> Request | str:
    return _consult(decision, blocker, task, (SENIOR,), "senior")


def of_juniors(decision: Decision, blocker: BlockerDoc, task: TaskDoc) -> Request | str:
    """The trio's first half: they answer blind, as the senior did."""
    return _consult(decision, blocker, task, JUNIORS, "trio")


def of_all(decision: Decision, blocker: BlockerDoc, task: TaskDoc, proposals: Sequence[Advice]) -> Request | str:
    """Its second half."""
    said = tuple(advice.text for advice in proposals)
    return _consult(decision, blocker, task, (SENIOR, *JUNIORS), "choice", said)


def _consult(
    decision: Decision,
    blocker: BlockerDoc,
    task: TaskDoc,
    seats: Sequence[str],
    part: str,
    proposals: tuple[str, ...] = (),
) -> Request | str:
    names = {agent.seat: agent for agent in decision.board.all(AgentDoc) if agent.role == "reviewer"}
    if missing := [seat for seat in seats if seat not in names]:
        return f"nobody sits as {', '.join(missing)}"
    if dispatch.is_spent(decision.board, task):
        return "the task's budget is spent"
    for agent in (names[seat] for seat in seats):
        if why := _cannot_think(decision, agent):
            return f"{agent.name} {why}"
    consult = f"{blocker.id}.{part}"
    body = ConsultRequested(
        consult=consult,
        spec=task.task,
        agent=blocker.agent,
        base=task.base or decision.board.run.head,
        work=task.pin or None,
        problem=blocker.what,
        needs=blocker.needs,
        tried=blocker.tried,
        evidence=tuple(f"{note.source}: {note.text[:MOST_TEXT]}" for note in task.notes[-MOST_EVIDENCE:]),
        questions=_questions(blocker),
        proposals=proposals,
        deadline=decision.now + decision.policy.consult_deadline,
    )
    return Request(consult, tuple(names[seat].name for seat in seats), body)


def _questions(blocker: BlockerDoc) -> tuple[str, ...]:
    wanted = f"How does it get what it needs: {blocker.needs}" if blocker.needs else "What lets it go on?"
    return (wanted, "Is the way it went the right one at all?") if blocker.cause == "stuck" else (wanted,)


def _cannot_think(decision: Decision, agent: AgentDoc) -> str:
    """Why a reviewer is not asked now; "" = it is."""
    if agent.state == "down":
        return "is down"
    if agent.parked_until is not None and agent.parked_until > decision.now:
        return "is parked"
    return "has spent its budget" if agent_scope(agent.name) in decision.board.budget.exhausted else ""
