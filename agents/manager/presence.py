"""Agents come, say what they do, and go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from callboard.agents.manager import backlog, budget, requests, setbacks
from callboard.agents.manager.decision import MANAGER, Decision, newest
from callboard.agents.manager.seats import held_task, requeue_held
from callboard.bus.board import ENDED, AgentDoc, TaskDoc, TaskState
from callboard.bus.messages import (
    AgentStarted,
    AgentStopped,
    AgentUnreachable,
    RosterChanged,
    TaskAccepted,
    TaskProgressed,
)


def roster_changed(decision: Decision, body: RosterChanged) -> None:
    """A launch names the whole roster; later only agents that are down for good are named."""
    if body.down:
        for name in body.down:
            decision.put_agent(name, state="down", doing=body.reason, since=decision.now)
            decision.log("task", f"{name} is down", [body.reason])
            requeue_held(decision, name, f"{name} is down: {body.reason}")
        return
    known = {agent.name: agent.role for agent in decision.board.all(AgentDoc)}
    for name, role in body.agents.items():
        decision.put_agent(name, role=role, seat=body.seats.get(name, ""), state="absent", doing="", since=decision.now)
        if known.get(name, role) != role:
            requeue_held(decision, name, f"{name} is a {role} now")
    for name in sorted(known.keys() - body.agents.keys()):
        decision.put_agent(name, role="", state="absent", doing="not in the roster any more")
        requeue_held(decision, name, f"{name} is not in the roster any more")
    requests.renew_reviews(decision)
    decision.put_run(awaits_directions=True, stays=body.stay)
    budget.limits_told(decision, body.limits)
    if decision.board.run.state == "created":
        decision.put_run(state="running")
    _do_again(decision, body.again)


def _do_again(decision: Decision, keys: Sequence[str]) -> None:
    every = newest(decision.board)
    for known in (every[key] for key in keys if key in every):
        if known.state in ENDED:
            backlog.add_task(decision, known.task)


def agent_started(decision: Decision, body: AgentStarted) -> None:
    """An agent that comes back goes on with what it holds: its message is still in its inbox."""
    name = decision.cause.sender
    held = held_task(decision, name)
    _came_anew(decision, name, held)
    decision.put_agent(
        name,
        # the roster says what an agent is; it does not say so itself
        role=decision.agent(name).role or body.role,
        state="working" if held else "idle",
        task=held.id if held else "",
        doing="",
        pid=body.pid,
        host=body.host,
        since=decision.now,
    )
    if name == MANAGER:
        decision.log("startup", "manager at its desk", body.facts)


def _came_anew(decision: Decision, name: str, held: TaskDoc | None) -> None:
    """What becomes of an agent whose process ended without a word stands in the log, whoever ended it."""
    known = decision.board.get(f"agent:{name}", AgentDoc)
    if name != MANAGER and known.state in ("idle", "working"):
        facts = [f"the one before, process {known.pid} on {known.host}, ended without a word"]
        facts += [f"it goes on with {held.id} {held.task.title}"] if held else []
        decision.log("task", f"{name} is here with another process", facts)


def agent_unreachable(decision: Decision, body: AgentUnreachable) -> None:
    decision.log("task", f"{body.agent} cannot be reached", [body.reason, "it is ended and started again"])


def agent_stopped(decision: Decision, body: AgentStopped) -> None:
    decision.put_agent(decision.cause.sender, state="absent", doing=body.reason, since=decision.now)


def task_accepted(decision: Decision, task: TaskDoc, body: TaskAccepted) -> None:
    """An agent works by the direction that came with its task, and says which version that is."""
    known = decision.board.get(f"agent:{task.agent}", AgentDoc).direction
    if body.direction and body.direction != known and task.task.agent == task.agent:
        title = f"{task.agent} works by version {body.direction} of its direction"
        decision.log("task", title, [f"before: {known}"] if known else [], task=task)
        decision.put_agent(task.agent, direction=body.direction)
    if task.state is TaskState.ASSIGNED:
        decision.put_task(task, state=TaskState.WORKING)
    decision.put_agent(task.agent, state="working", task=task.id, doing="started", progress_at=decision.now)


def task_progressed(decision: Decision, task: TaskDoc, body: TaskProgressed) -> None:
    moved = {} if body.quiet_s else {"progress_at": decision.now}
    decision.put_agent(task.agent, **({"doing": body.doing} if body.doing else {}), **moved)
    if timedelta(seconds=body.quiet_s) >= decision.policy.stuck_after:
        setbacks.no_progress(decision, task, body.quiet_s)
