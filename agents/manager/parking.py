"""Thinking that has to wait: a parked agent gets nothing until its time, and a run that cannot think at all is paused."""

from __future__ import annotations

from datetime import datetime, timedelta

from callboard.agents.manager import budget, closing, requests, setbacks
from callboard.agents.manager.decision import Decision
from callboard.bus.board import AgentDoc, TaskDoc, TaskState
from callboard.bus.caps import scopes_of
from callboard.bus.messages import AttemptParked, ReviewWord, TimerFired
from callboard.bus.task import Note
from callboard.feedback.facts import time_fact

UNSAID = timedelta(minutes=5)
"""How long an agent is parked whose provider did not say when it takes more."""
SHORTEST = timedelta(seconds=2)
"""An agent that is at its limit again at once must not go round and round."""
LONGEST = timedelta(days=8)
"""A weekly limit and a day; whoever says more is asked again then."""
INTERRUPTED = (
    "The last attempt was interrupted and not judged. What it left is in the clone: look at it first, then go on."
)


def attempt_parked(decision: Decision, task: TaskDoc, body: AttemptParked) -> None:
    """The attempt costs none; the task goes on from its pin once there is somebody who can think about it."""
    agent = task.agent
    task = setbacks.keep_work(decision, task, body.head)
    note = Note(source="driver", text=INTERRUPTED)
    notes = task.notes if note in task.notes or body.head is None else (*task.notes, note)
    task = decision.put_task(task, state=TaskState.QUEUED, reason=body.detail, notes=notes)
    _wait(decision, agent, body, task, body.detail)


def review_parked(decision: Decision, task: TaskDoc, reviewer: str, body: ReviewWord) -> None:
    """The review stays open without a deadline; who has not answered is asked again, once that reviewer can think."""
    decision.put_task(task, reason=f"waits for {reviewer}: {body.notes}")
    decision.log("review", f"waits for {reviewer}", [body.notes], task=task)
    _wait(decision, reviewer, body, task, body.notes)


def time_has_come(decision: Decision, subject: str) -> None:
    """A parking is over, if it is still the one that the timer was set for: this process's clock is not asked."""
    name = subject.partition(" ")[0]
    agent = decision.agent(name)
    if agent.parked_until is not None and subject == _subject(name, agent.parked_until):
        _unpark(decision, agent)


def unpark_all(decision: Decision) -> list[str]:
    """A person wants it tried again now.

    Returns:
        Who was parked.
    """
    parked = sorted((agent for agent in decision.board.all(AgentDoc) if agent.parked_until), key=lambda doc: doc.name)
    for agent in parked:
        _unpark(decision, agent)
    return [agent.name for agent in parked]


def _wait(decision: Decision, agent: str, body: AttemptParked | ReviewWord, task: TaskDoc, detail: str) -> None:
    cause = body.cause if isinstance(body, AttemptParked) else body.parked
    own = scopes_of(task.id, task.task.tier, agent)
    if cause == "rate_limit":
        _park(decision, agent, detail, body.until)
    elif cause == "budget" and body.reached is not None and body.reached.scope in own:
        budget.refused(decision, body.reached)
    elif cause and cause != "away" and (decision.board.run.state, decision.board.run.reason) != ("paused", cause):
        closing.pause(decision, cause, detail)


def _park(decision: Decision, name: str, detail: str, until: datetime | None) -> None:
    asked = (until or decision.now + UNSAID) - decision.now
    then = decision.now + min(max(asked, SHORTEST), LONGEST)
    known = decision.agent(name).parked_until
    if known is not None and known >= then:
        return
    decision.put_agent(name, parked_until=then, parked_for=detail)
    decision.after(then - decision.now, TimerFired(about="parked", subject=_subject(name, then)))
    decision.log("task", f"{name} is parked until {time_fact(then)}", [detail])


def _unpark(decision: Decision, agent: AgentDoc) -> None:
    decision.put_agent(agent.name, parked_until=None, parked_for="")
    if decision.board.run.state != "paused":
        requests.ask_parked_reviews(decision, agent.name)


def _subject(name: str, until: datetime) -> str:
    return f"{name} {until.isoformat()}"
